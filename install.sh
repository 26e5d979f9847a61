#!/usr/bin/env bash
# Installs or upgrades Rearguard on Raspberry Pi OS or Debian, Bookworm or Trixie; `--help` says the rest.
#
# It may be run again at any time, also after it was cut short: what is right already is left alone. It works from a release
# folder (without a network: wheels/ lies beside it), from a checkout, and, for the settings only, from /usr/lib/rearguard.
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=systemd/setup/lib.sh
. "$here/systemd/setup/lib.sh"
# shellcheck source=systemd/setup/program.sh
. "$here/systemd/setup/program.sh"
# shellcheck source=systemd/setup/system.sh
. "$here/systemd/setup/system.sh"
# shellcheck source=systemd/setup/boot.sh
. "$here/systemd/setup/boot.sh"
# shellcheck source=systemd/setup/remove.sh
. "$here/systemd/setup/remove.sh"

usage() {
  cat <<'TEXT'
sudo ./install.sh [OPTION]...

  --dry-run     print every step, change nothing
  --uart        set up the serial port of the pins, whatever the configuration says
  --i2c         set up I2C, likewise
  --uninstall   remove Rearguard; the configuration and the journals stay
  --purge       with --uninstall: remove these too
TEXT
}

unfinished=/run/rearguard-install.unfinished # a power cut takes it along, and with it the need: all is loaded anew

# Whatever would stop us later is found out here.
check() {
  local ids
  [[ $EUID = 0 || $root || $dry = yes ]] || die "this changes the system and needs root" "Run:  sudo $0 $*"
  ids=$({ sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' "$root/etc/os-release" 2>/dev/null || true; } | tr -d '"' | tr '\n' ' ')
  [[ " $ids" = *" debian "* ]] || die "this is neither Raspberry Pi OS nor Debian (found: ${ids:-nothing})" \
    "On another system:  pipx install rearguard  gives the bench, without the service."
  command -v systemctl >/dev/null || die "systemd is missing, which starts and watches the guard" "Run:  apt install systemd"
}

check_program() {
  local free modules=venv
  if grep -qsE 'overlayroot=tmpfs|boot=overlay' "$root/proc/cmdline"; then
    die "the system is read-only (overlay): all of this would be gone after the next start" \
      "Run:  sudo raspi-config nonint do_overlayfs 1 && sudo reboot  and then this again. See docs/read-only.md."
  fi
  if [[ ! $(version) ]]; then return; fi
  python_version=$("$python" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo none)
  [[ $python_version = 3.1[123].* ]] || die "Python 3.11 to 3.13 is needed (found: $python_version)" \
    "Raspberry Pi OS has it since Bookworm; on Debian:  sudo apt install python3"
  free=$(df -Pm "$root/" | awk 'NR == 2 { print $4 }')
  if [[ $free -lt $need_mb ]]; then
    die "not enough room on the disk: $free MB free, $need_mb MB needed" "Make some:  sudo apt clean && sudo journalctl --vacuum-size=16M"
  fi
  if [[ -f $here/SHA256SUMS ]]; then
    (cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) >&2 ||
      die "this folder is damaged, see above" "Copy or download it once more."
  fi
  if ! compgen -G "$here/wheels/pip-*.whl" >/dev/null; then modules=venv,ensurepip; fi
  if ! "$python" -c "import $modules" 2>/dev/null; then
    if step "install python3-venv with apt" && ! { apt_get python3-venv && "$python" -c "import $modules" 2>/dev/null; }; then
      die "Python's venv module is missing, and apt could not get it" \
        "Connect to a network, then:  sudo apt update && sudo apt install python3-venv"
    fi
  fi
}

main() {
  local action=install purge=no forced=() needed old='' before=''
  for word; do
    case $word in
      --dry-run) dry=yes ;;
      --uart | --i2c) forced+=("${word#--}") ;;
      --uninstall) action=uninstall ;;
      --purge) purge=yes ;;
      -h | --help) usage && return ;;
      *) die "there is no option $word" "Run:  $0 --help" ;;
    esac
  done
  [[ $purge = no || $action = uninstall ]] || die "--purge goes with --uninstall" "Run:  sudo $0 --uninstall --purge"
  check "$@"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  if [[ $dry = no ]]; then
    mkdir -p "$root/run"
    exec 9>"$root/run/rearguard-install.lock"
    flock -n 9 || die "another install.sh is at work" "Wait until it is done."
    if [[ -e $root$unfinished ]]; then cut=yes again=yes; fi
    if [[ $cut = yes && -e $root/run/reboot-required ]]; then reboot=yes; fi
  fi
  if [[ $action = uninstall ]]; then
    uninstall
    if [[ $dry = no ]]; then rm -f "$root/run/rearguard-install.lock" "$root$unfinished"; fi
    return
  fi

  if [[ -L $root$opt ]]; then
    old=$(readlink -m "$root$opt")
    before=$(cut -d' ' -f1 "$old/recipe" 2>/dev/null || true)
  fi
  if [[ ! $(version) ]]; then
    [[ $old ]] || die "there is no program beside this script" "Run it in a release folder or a checkout."
    [[ -x $old/bin/rearguard ]] || die "$opt is damaged, and there is no program beside this script" \
      "Run install.sh in a release folder or a checkout: it builds the program anew."
    say "Rearguard $before: settings"
  elif [[ $before && $before != "$(version)" ]]; then
    say "Rearguard: $before -> $(version)"
  else
    say "Rearguard $(version)"
  fi
  check_program
  if [[ $dry = no && $cut = no ]]; then echo "$old" >"$root$unfinished"; fi
  if [[ $cut = yes ]]; then old=$(cat "$root$unfinished"); fi # what guarded before that run
  build
  users
  configure
  if [[ $new && ! $new -ef $root$opt ]] && step "switch $opt to it"; then
    again=yes
    point "$new"
  fi
  files
  needed=$(needs)
  # shellcheck disable=SC2086 # words
  boot $needed "${forced[@]}"
  start "$old"
  keep_installer
  tidy
  if [[ $dry = no ]]; then
    sync
    rm -f "$root$unfinished"
  fi
  finish
}

finish() {
  if [[ $dry = yes && ! -L $root$opt && $(boot_folder) ]]; then
    say "  would ask the configuration which boot options it needs"
  fi
  if [[ $changed = 0 ]]; then
    say "Nothing to change: all is in place."
  elif [[ $dry = yes ]]; then
    say "Nothing was changed: this was a dry run."
  else
    say "Done."
  fi
  if [[ $reboot = yes && $dry = no ]]; then
    say "The boot options count from the next start:  sudo reboot"
  fi
  say "What is fitted stands in $conf; after a change:  sudo $own/install.sh"
}

main "$@"
