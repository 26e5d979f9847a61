# shellcheck shell=bash disable=SC2034,SC2154 # its names are shared with install.sh and its other parts
# What all steps of install.sh stand on: words to the user, and changes that are made at once or not at all.

root=${REARGUARD_ROOT:-} # a prefix for all paths, for tests
dry=no
changed=0   # changes made, or that would be made
reboot=no   # whether some of them wait for the next start
again=no    # whether the guard has to be started again
cut=no      # whether the run before this one was cut short: what it wrote may not have been loaded

say() { printf '%s\n' "$*"; }

die() {
  printf 'install.sh: %s\n' "$1" >&2
  shift
  for line; do printf '  %s\n' "$line" >&2; done
  exit 1
}

# step WHAT: tell a change that follows; false in a dry run, so that the change is left out.
step() {
  changed=$((changed + 1))
  if [[ $dry = yes ]]; then
    say "  would $1"
    return 1
  fi
  say "  $1"
}

running() { [[ -d $root/run/systemd/system ]]; } # not so in a chroot

# put SOURCE TARGET: a file of the system becomes SOURCE. False where it is so already. (It tells of a failure itself: where
# a function stands behind `if`, bash does not stop at one.)
put() {
  local target=$root$2
  if [[ -f $target ]] && cmp -s "$1" "$target"; then return 1; fi
  if step "write $2"; then
    { mkdir -p "$(dirname "$target")" && switch_file "$1" "$target"; } || die "$2 cannot be written" \
      "Is the disk full or read-only? See:  df -h $(dirname "$2"); findmnt -T $(dirname "$2")"
  fi
}

# switch_file SOURCE FILE: in one go, so that a power cut leaves the old one or the new one.
switch_file() {
  install -m 644 "$1" "$2.rearguard-new" && sync "$2.rearguard-new" && mv -f "$2.rearguard-new" "$2"
}

# drop PATH...: away with what we have put there; folders of ours when they are empty.
drop() {
  local path
  for path; do
    if [[ ! -e $root$path && ! -L $root$path ]]; then continue; fi
    if step "remove $path"; then
      rm -rf -- "$root${path:?}"
    fi
  done
}

# show OLD NEW: how a text changes, without the names of temporary files.
show() { diff -U1 "$1" "$2" | tail -n +3 | sed 's/\r//; s/^/      /' || true; }
