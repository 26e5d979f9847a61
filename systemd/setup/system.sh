# shellcheck shell=bash disable=SC2034,SC2154 # its names are shared with install.sh and its other parts
# What the system has to know of Rearguard: user and groups, units, drop-ins, rules.

own=/usr/lib/rearguard # this installer, for --uninstall and for another look at the configuration
conf=/etc/rearguard/rearguard.toml
units=(rearguard.service rearguard-poweroff.path)
state=$own/made-groups # groups that were not there before us

# where each file of systemd/ goes
declare -A places=(
  [rearguard.service]=/usr/lib/systemd/system/rearguard.service
  [rearguard.service.d/fifo.conf]=/usr/lib/systemd/system/rearguard.service.d/fifo.conf
  [rearguard-poweroff.path]=/usr/lib/systemd/system/rearguard-poweroff.path
  [rearguard-poweroff.service]=/usr/lib/systemd/system/rearguard-poweroff.service
  [rearguard.sysusers]=/usr/lib/sysusers.d/rearguard.conf
  [rearguard.tmpfiles]=/usr/lib/tmpfiles.d/rearguard.conf
  [60-rearguard.rules]=/usr/lib/udev/rules.d/60-rearguard.rules
  [journald.conf.d/rearguard.conf]=/usr/lib/systemd/journald.conf.d/rearguard.conf
  [system.conf.d/rearguard-watchdog.conf]=/usr/lib/systemd/system.conf.d/rearguard-watchdog.conf
)

shipped() { compgen -G "$1/lib/python3*/site-packages/rearguard/default.toml" || true; }

# The configuration is the wearer's: it is laid once, and then only looked at.
configure() {
  local default was
  default=$(shipped "$new")
  if [[ ! -f $root$conf ]]; then
    if [[ -f $here/rearguard.toml ]]; then default=$here/rearguard.toml; fi
    if [[ ! $default ]]; then step "write $conf" || return 0; fi
    accepted "$default" "$default"
    put "$default" "$conf" || true
    return
  fi
  if [[ ! $new || $new -ef $root$opt ]]; then return; fi
  accepted "$root$conf" "$conf"
  was=$(shipped "$root$opt")
  if [[ $was ]] && ! cmp -s "$was" "$default" && put "$default" "$conf.new"; then
    say "  $conf stays as it is; the new default lies beside it and differs from the old one by:"
    show "$was" "$default"
  fi
}

# accepted FILE NAME: the new program takes this configuration, or nothing is switched.
accepted() {
  if "$new/bin/rearguard" check-config --config "$1" >"$work/check" 2>&1; then return; fi
  cat "$work/check" >&2
  if [[ ! $new -ef $root$opt ]]; then rm -rf "$new"; fi
  die "version $(version) does not take $2; what was there before goes on as it was" \
    "Mend the line named above, then run this again."
}

# What users and groups there will be; those that are new are noted, so that --uninstall can take them along.
users() {
  local group
  if put "$here/systemd/rearguard.sysusers" "${places[rearguard.sysusers]}" || ! getent passwd rearguard >/dev/null; then
    if step "make the user rearguard, and the groups gpio, dialout and i2c where they are missing"; then
      mkdir -p "$root$own"
      for group in gpio dialout i2c; do
        if ! getent group "$group" >/dev/null; then echo "$group" >>"$root$state"; fi
      done
      systemd-sysusers "$root${places[rearguard.sysusers]}" 2>"$work/users" || { cat "$work/users" >&2 && return 1; }
    fi
  fi
}

files() {
  local name
  local log=$cut manager=$cut rules=$cut
  for name in $(printf '%s\n' "${!places[@]}" | sort); do
    if [[ $name = rearguard.service* && -f $root${places[$name]} ]]; then # should the guard not start with the new one
      cp "$root${places[$name]}" "$work/${name##*/}.before"
    fi
    if [[ $name = rearguard.sysusers ]] || ! put "$here/systemd/$name" "${places[$name]}"; then continue; fi
    case $name in
      rearguard.service*) again=yes ;;
      journald*) log=yes ;;
      system.conf*) manager=yes ;;
      60-*) rules=yes ;;
    esac
  done
  if [[ ! -L $root/usr/local/bin/rearguard ]] && step "link /usr/local/bin/rearguard"; then
    mkdir -p "$root/usr/local/bin"
    ln -sfn "$opt/bin/rearguard" "$root/usr/local/bin/rearguard"
  fi
  if running && [[ $dry = no ]]; then
    systemctl daemon-reload
    systemd-tmpfiles --create "$root${places[rearguard.tmpfiles]}"
    if [[ $manager = yes ]]; then systemctl daemon-reexec; fi
    if [[ $log = yes ]]; then systemctl restart systemd-journald; fi
    if [[ $rules = yes ]]; then udevadm control --reload && udevadm trigger --subsystem-match={gpio,tty,i2c-dev}; fi
  fi
}

# A copy of this installer, in one go.
keep_installer() {
  if [[ $here -ef $root$own ]]; then return; fi
  mkdir "$work/own"
  cp -r "$here/install.sh" "$here/systemd" "$here"/docs/{operate,faults,read-only}.md "$work/own"
  if [[ -f $root$state ]]; then cp "$root$state" "$work/own"; fi
  if diff -rq "$work/own" "$root$own" >/dev/null 2>&1 || ! step "keep this installer in $own"; then return; fi
  rm -rf "$root$own.old" "$root$own.new"
  mkdir -p "$root/usr/lib"
  cp -r "$work/own" "$root$own.new"
  if [[ -e $root$own ]]; then mv "$root$own" "$root$own.old"; fi
  mv "$root$own.new" "$root$own"
  rm -rf "$root$own.old"
}

# Whether the configuration was changed or put there since the guard was started, which reads it but then.
conf_is_newer() {
  local started
  started=$(systemctl show -P ExecMainStartTimestamp rearguard.service)
  [[ $started ]] && started=$(date -d "$started" +%s 2>/dev/null) && [[ $(stat -L -c %Z "$root$conf") -gt $started ]]
}

# Enabled, and where systemd runs (not in a chroot) started.
start() {
  local unit old=$1
  for unit in "${units[@]}"; do
    if ! systemctl is-enabled --quiet "$unit" 2>/dev/null && step "enable $unit"; then systemctl enable --quiet "$unit"; fi
  done
  if ! running; then
    say "  systemd does not run here: the guard will start at the next boot"
    return
  fi
  local was
  was=$(systemctl is-active rearguard.service || true)
  systemctl is-active --quiet rearguard-poweroff.path || [[ $dry = yes ]] || systemctl start rearguard-poweroff.path
  # with a restart of the machine ahead, the guard had better go on as it does until then
  if [[ $was = active && $reboot = no ]] && conf_is_newer; then again=yes; fi
  if [[ $again = no && $was != inactive && $was != failed ]]; then return; fi
  step "start the guard" || return 0
  if systemctl restart rearguard.service; then return; fi
  if [[ $was = active ]]; then take_back "$old"; fi
  say "  It does not guard yet$([[ $reboot = no ]] || echo ', which may be because of the restart that is due'). The reason:"
  say "    sudo journalctl -u rearguard -n 30"
}

# take_back ENVIRONMENT: a guard that ran does not start again. What this run changed becomes what it was; the run ends here.
take_back() {
  local name this='the new service' back=no reason='The reason:  sudo journalctl -u rearguard -n 30'
  if [[ $(version) ]]; then this="version $(version)"; fi
  if [[ $1 && -x $1/bin/rearguard && ! $new -ef $1 ]]; then
    new=$(readlink -f "$new")
    point "$1"
    rm -rf "$new"
    back=yes
  fi
  for name in "${!places[@]}"; do
    if [[ -f $work/${name##*/}.before ]] && put "$work/${name##*/}.before" "${places[$name]}"; then back=yes; fi
  done
  if [[ -e $root/run/reboot-required ]]; then reason+=$'\n  The machine is due for a restart, which may be all:  sudo reboot'; fi
  if [[ $back = no ]]; then die "the guard does not start any more" "$reason"; fi
  systemctl daemon-reload
  systemctl restart rearguard.service || die "neither $this nor the one before starts" "$reason"
  die "$this did not start; the one before guards again" "$reason"
}
