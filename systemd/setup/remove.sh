# shellcheck shell=bash disable=SC2034,SC2154 # its names are shared with install.sh and its other parts
# Away with Rearguard. The wearer's data stays, unless it is asked for.

uninstall() {
  local unit group path overrides=/etc/systemd/system/rearguard.service.d
  for unit in "${units[@]}"; do
    if [[ -e $root${places[$unit]} ]] && step "stop and disable $unit"; then
      systemctl disable --now --quiet "$unit" 2>/dev/null || systemctl disable --quiet "$unit" || true
    fi
  done
  unboot
  if getent passwd rearguard >/dev/null && [[ -e $root${places[rearguard.sysusers]} ]] && step "remove the user rearguard"; then
    if [[ -d $root/var/lib/rearguard ]]; then chown -R 0:0 "$root/var/lib/rearguard"; fi # a number that may be given away again
    userdel rearguard
  fi
  if [[ -f $root$state ]]; then
    while read -r group; do
      if step "remove the group $group, which was not there before"; then groupdel "$group" || true; fi
    done <"$root$state"
  fi
  drop "${places[@]}" "$i2c_module" /usr/local/bin/rearguard /run/rearguard "$opt" "$opt.next"
  for path in "$root$opt"-[0-9]* "$root$conf.new"; do drop "${path#"$root"}"; done
  for path in systemd/system/rearguard.service.d systemd/journald.conf.d systemd/system.conf.d sysusers.d tmpfiles.d; do
    if [[ $dry = no ]]; then rmdir "$root/usr/lib/$path" 2>/dev/null || true; fi # where they were made for us
  done
  drop "$own" "$own.new" "$own.old"
  if [[ $purge = yes ]]; then drop "$(dirname "$conf")" /var/lib/rearguard "$overrides"; fi
  if running && [[ $dry = no && $changed -gt 0 ]]; then
    systemctl daemon-reexec # and with it, system.conf.d
    systemctl restart systemd-journald
    udevadm control --reload || true
  fi
  if [[ $changed = 0 ]]; then say "Rearguard is not installed: nothing to do."; fi
  if [[ $reboot = yes ]]; then say "The boot options count from the next start:  sudo reboot"; fi
  for path in "$conf" /var/lib/rearguard "$overrides"; do
    if [[ -e $root$path && $purge = no ]]; then say "Yours, and still there: $path"; fi
  done
}
