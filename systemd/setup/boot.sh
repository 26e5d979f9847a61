# shellcheck shell=bash disable=SC2034,SC2154 # its names are shared with install.sh and its other parts
# Options of the boot loader: only those that the configuration needs, each change shown, a copy of the old file kept.

begin='# rearguard: begin (taken away by install.sh --uninstall)'
end='# rearguard: end'
backup=.rearguard-backup
i2c_module=/usr/lib/modules-load.d/rearguard.conf

boot_folder() {
  local folder
  for folder in /boot/firmware /boot; do # since Bookworm; before
    if [[ -f $root$folder/config.txt ]]; then
      echo "$folder"
      return
    fi
  done
}

# The words "uart" and "i2c", as the configuration needs them.
needs() {
  local program=$root$opt/bin/python
  if [[ ! -x $program ]]; then return; fi
  "$program" -I - "$root$conf" "$root" <<'PY' || say "  $conf cannot be read yet; boot options are left as they are" >&2
import sys
from glob import glob
from pathlib import Path

from rearguard.config import load
from rearguard.errors import RearguardError
from rearguard.sensors._serial import on_header

try:
    config = load(Path(sys.argv[1]))
except RearguardError as error:
    sys.exit(f"rearguard: {error}")
parts = [*config.sensors.values(), config.belt]
usb = glob(sys.argv[2] + "/dev/serial/by-id/*")
ports = [part.port for part in parts if isinstance(getattr(part, "port", None), str)]
if any(on_header(port) and not (port == "auto" and usb) for port in ports):
    print("uart")
if any(isinstance(getattr(part, "bus", None), int) for part in parts):
    print("i2c")
PY
}

pi_5() { grep -qaE 'Pi 5|Module 5' "$root/proc/device-tree/model" 2>/dev/null; } # also the Pi 500

# The lines of config.txt that are wanted, for the needs given.
wanted() {
  if [[ " $* " = *" uart "* ]] && pi_5; then
    echo dtparam=uart0=on # enable_uart=1 gives the debug plug there
  elif [[ " $* " = *" uart "* ]]; then # the full UART for the pins: the small one changes its speed with the core clock
    printf '%s\n' enable_uart=1 dtoverlay=disable-bt
  fi
  if [[ " $* " = *" i2c "* ]]; then echo dtparam=i2c_arm=on; fi
  if [[ ! -e $root/dev/watchdog0 ]]; then echo dtparam=watchdog=on; fi
}

without_ours() { awk -v b="$begin" -v e="$end" '$0 == b { ours = 1 } !ours { print } $0 == e { ours = 0 }' "$1"; }
only_ours() { awk -v b="$begin" -v e="$end" '$0 == e { ours = 0 } ours && $0 != "[all]" { print } $0 == b { ours = 1 }' "$1"; }

# in_force LINE FILE: whether the file says so already, for all boards. Of enable_uart the last word counts.
in_force() {
  awk -v line="$1" '
    BEGIN { all = 1 }
    { sub(/\r$/, ""); sub(/[ \t]*(#.*)?$/, "") }
    /^\[/ { all = $0 == "[all]" }
    all && $0 == line { found = 1 }
    all && line ~ /^enable_uart=/ && /^enable_uart=/ && $0 != line { found = 0 }
    END { exit !found }' "$2"
}

# The boot options count from the next start; that is remembered, should this run be cut short.
wants_reboot() {
  reboot=yes
  if [[ $dry = no ]]; then touch "$root/run/reboot-required"; fi
}

# replace NEW TARGET: show the change, keep the file as it first was beside it, switch.
replace() {
  local target=$root$2
  if cmp -s "$1" "$target"; then return; fi
  wants_reboot
  step "change $2$([[ -e $target$backup ]] || echo "; as it was: $2$backup")" || true
  show "$target" "$1"
  if [[ $dry = yes ]]; then return; fi
  if [[ ! -e $target$backup ]]; then switch_file "$target" "$target$backup"; fi
  switch_file "$1" "$target"
}

# boot NEED...: bring config.txt, cmdline.txt and the I2C module in line. What we once set stays set.
boot() {
  local folder line lines=()
  folder=$(boot_folder)
  if [[ ! $folder ]]; then return; fi # no Raspberry Pi
  without_ours "$root$folder/config.txt" >"$work/theirs"
  only_ours "$root$folder/config.txt" >"$work/ours"
  while read -r line; do
    if ! in_force "$line" "$work/theirs"; then lines+=("$line"); fi
  done < <({ cat "$work/ours"; wanted "$@"; } | awk '!seen[$0]++')
  if [[ $(printf '%s\n' "${lines[@]}") != "$(cat "$work/ours")" ]]; then
    { cat "$work/theirs"; printf '%s\n' "$begin" '[all]' "${lines[@]}" "$end"; } >"$work/config"
    replace "$work/config" "$folder/config.txt"
  fi
  if [[ " $* " = *" uart "* && -f $root$folder/cmdline.txt ]]; then
    no_console <"$root$folder/cmdline.txt" >"$work/cmdline"
    replace "$work/cmdline" "$folder/cmdline.txt"
  fi
  if [[ " $* " = *" i2c "* ]] && put "$here/systemd/rearguard.modules" "$i2c_module"; then wants_reboot; fi
}

# A login console on the header's UART would talk to the sensor. The kernel reads one line, the first.
no_console() {
  local port='serial0|ttyAMA0|ttyS0' word
  if pi_5; then port=ttyAMA0; fi # serial0 is the debug plug there
  word="console=($port)(,[^[:space:]]*)?"
  sed -E "1 { :again; s/^$word([[:space:]]+|\$)//; t again; s/[[:blank:]]+$word([[:space:]]|\$)/\\3/; t again }"
}

# Our own lines out again, the console back. A file that nobody else has changed becomes what it was, to the byte.
unboot() {
  local folder file word
  folder=$(boot_folder)
  if [[ ! $folder ]]; then return; fi
  for file in "$folder/config.txt" "$folder/cmdline.txt"; do
    if [[ ! -f $root$file$backup ]]; then continue; fi
    cp "$root$file" "$work/now"
    if [[ $file = */config.txt ]]; then
      without_ours "$root$file" >"$work/now"
      without_ours "$root$file$backup" >"$work/then"
    else
      no_console <"$root$file$backup" >"$work/then"
    fi
    if cmp -s "$work/then" "$work/now"; then
      cp "$root$file$backup" "$work/now"
    elif [[ $file = */cmdline.txt ]]; then
      for word in $(head -n 1 "$root$file$backup" | tr -s ' \r\t' '\n' | grep '^console=' | tac); do
        grep -qF -- "$word" "$work/now" || sed -i "1 s|^|$word |" "$work/now"
      done
    fi
    replace "$work/now" "$file"
    drop "$file$backup"
  done
}
