# shellcheck shell=bash disable=SC2034,SC2154 # its names are shared with install.sh and its other parts
# The program: a virtual environment of its own, built aside and switched to in one go.
#
# /opt/rearguard is a link to /opt/rearguard-VERSION-N. Environments cannot be moved, so each is built where it stays; until
# the link is switched, the old one goes on guarding, and a power cut leaves one of the two, never half of one.

python=${REARGUARD_PYTHON:-/usr/bin/python3} # the system's own, for which apt has lgpio
opt=/opt/rearguard
need_mb=100 # of disk: an environment takes 4 MB from wheels and 30 MB with a pip of its own, apt and its lists the rest
new=        # the environment that was built, or the one in place

version() {
  if [[ -d $here/wheels ]]; then
    basename "$here"/wheels/rearguard-*.whl | cut -d- -f2
  elif [[ -d $here/firmware ]]; then
    sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$here/firmware/rearguard/__init__.py"
  fi
}

# What an environment is made of, in a line: when that has not changed, there is nothing to do.
find_recipe() {
  local what=("$here/requirements.lock")
  if [[ -d $here/wheels ]]; then
    what+=("$here"/wheels/rearguard-*.whl)
  else
    mapfile -t -O 1 what < <(find "$here/pyproject.toml" "$here/firmware/rearguard" -type f ! -name '*.pyc' | sort)
  fi
  recipe="$(version) $python_version $(cat "${what[@]}" | sha256sum | cut -c1-16)"
}

# Whether /opt/rearguard is what we would build; where lgpio comes from is asked of apt but once.
in_place() {
  local there
  there=$(cat "$root$opt/recipe" 2>/dev/null) || return
  lgpio=${there##* }
  if [[ $there != "$recipe $lgpio" ]]; then return 1; fi
  if [[ $lgpio = apt ]] && ! has_lgpio; then return 1; fi
  if [[ $lgpio = none ]] && has_lgpio; then return 1; fi
  "$root$opt/bin/rearguard" --version >/dev/null 2>&1 && whole
}

# Whether every file of the packages is as pip has laid it: a worn card may have torn one that --version does not read.
whole() {
  "$python" -I - "$root$opt" 2>/dev/null <<'PY'
import base64, csv, hashlib, sys
from pathlib import Path

for record in Path(sys.argv[1]).glob("lib/python3*/site-packages/*.dist-info/RECORD"):
    for name, kept, _ in csv.reader(record.read_text().splitlines()):
        digest = hashlib.sha256((record.parents[1] / name).read_bytes()).digest() if kept.startswith("sha256=") else b""
        if digest and kept != "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
            sys.exit(1)
PY
}

has_lgpio() { "$python" -I -c 'import sys; from importlib.util import find_spec as f; sys.exit(not (f("lgpio") and f("_lgpio")))'; }

# apt_get PACKAGE...: quietly; the lists are fetched anew only when apt cannot do with what it has.
apt_get() {
  local get=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y)
  "${get[@]}" install --no-install-recommends "$@" >"$work/apt" 2>&1 && return
  "${get[@]}" update --error-on=any >"$work/apt" 2>&1 && "${get[@]}" install --no-install-recommends "$@" >"$work/apt" 2>&1
}

# lgpio from apt: Raspberry Pi OS has it for its Python, Debian has none. PyPI has wheels for CPython 3.11 only.
find_lgpio() {
  lgpio=apt
  if has_lgpio; then return; fi
  if ! step "install python3-lgpio with apt (a minute or so)"; then return; fi
  if apt_get python3-lgpio && has_lgpio; then return; fi
  if [[ $python_version = 3.11.* ]] && { [[ ! -d $here/wheels ]] || compgen -G "$here/wheels/lgpio-*" >/dev/null; }; then
    lgpio=pip
    say "  apt has no python3-lgpio: taking the wheel of PyPI"
    return
  fi
  if grep -q '^E: Unable to locate package' "$work/apt"; then # by lists that have just been fetched
    lgpio=none
    say "  neither apt nor PyPI has lgpio for this Python: no pin can be driven on this machine (Raspberry Pi OS has it)"
    return
  fi
  die "python3-lgpio, which drives the pins, could not be had ($(grep -m1 '^E:' "$work/apt" || echo 'apt failed'))" \
    "Connect to a network, then:  sudo apt update && sudo apt install python3-lgpio"
}

# The packages, pinned. Wheels beside us were checked against SHA256SUMS; else pip checks the hashes of the lock. piwheels
# builds its own wheels for 32-bit boards, of the same versions and with other hashes.
requirements() {
  local hashes=yes
  if [[ -d $here/wheels || $(dpkg --print-architecture) = armhf ]]; then hashes=no; fi
  awk -v hashes=$hashes -v lgpio="$lgpio" '
    /^[a-z]/ { keep = $1 !~ /^lgpio==/ || lgpio == "pip" }
    /^ *#/ || !keep { next }
    hashes == "no" { if (/^[a-z]/) { sub(/ *\\$/, ""); print }; next }
    { print }' "$here/requirements.lock"
}

# Which of the requirements wheels/ lacks on a 32-bit board: PyPI has no such wheels, so a release need not have them.
lacking() {
  local pin wheel tag=cp${python_version%.*}
  if [[ $(dpkg --print-architecture 2>/dev/null) != armhf ]]; then return; fi
  while read -r pin; do
    wheel=$here/wheels/${pin/==/-}
    if compgen -G "$wheel-*-none-any.whl" || compgen -G "$wheel-${tag/./}-*armv7l.whl"; then continue; fi >/dev/null
    echo "$pin"
  done <"$work/requirements"
}

pip_install() {
  local pip=("$1/bin/python" -I -m pip) options=(--quiet --disable-pip-version-check --no-input --no-deps --no-compile)
  requirements >"$work/requirements"
  if [[ -d $here/wheels ]]; then
    local wheel
    wheel=$(compgen -G "$here/wheels/pip-*.whl" || true)
    if [[ $wheel ]]; then pip=("$1/bin/python" "$wheel/pip"); fi
    lacking >"$work/lacking"
    if [[ -s $work/lacking ]]; then # from where the system's own configuration says: on Raspberry Pi OS, piwheels
      hint='Connect to a network, for a 32-bit system needs one for this. Then run this again.'
      "${pip[@]}" install "${options[@]}" --ignore-installed --only-binary=:all: -r "$work/lacking" || return
      requirements | grep -vxFf "$work/lacking" >"$work/requirements" || true
    fi
    PIP_CONFIG_FILE=/dev/null "${pip[@]}" install "${options[@]}" --ignore-installed --no-index --find-links "$here/wheels" \
      -r "$work/requirements" "rearguard==$(version)" || return
  else
    mkdir -p "$work/source/firmware" && cp -r "$here"/{pyproject.toml,README.md,LICENSE} "$work/source" &&
      cp -r "$here/firmware/rearguard" "$work/source/firmware" && # pip leaves its traces where it builds
      "${pip[@]}" install "${options[@]}" --ignore-installed -r "$work/requirements" &&
      "${pip[@]}" install "${options[@]}" "$work/source" || return
  fi
}

# Half-built environments of a run that was cut short. The one that the link names stays until another is in its place.
sweep() {
  local folder
  for folder in "$root$opt"-[0-9]*; do
    if [[ -f $folder/recipe || ! -d $folder || $folder -ef $root$opt ]]; then continue; fi
    if step "clear away ${folder#"$root"}, which was not finished"; then rm -rf "$folder"; fi
  done
}

build() {
  [[ $(version) ]] || { new=$root$opt; return; } # only the settings are here, see install.sh
  if [[ -e $root$opt && ! -L $root$opt ]]; then
    die "$opt is a folder that this installer did not make" "Move it away:  sudo mv $opt $opt.old"
  fi
  sweep
  find_recipe
  if in_place; then
    new=$root$opt
    return
  fi
  find_lgpio
  local number=1 site=() there hint='Run this again.'
  there=$root/opt/$(readlink "$root$opt" || true) # by its name, for it may be gone
  new=$root$opt-$(version)-$number
  while [[ -e $new || $new = "$there" ]]; do # one that was finished and not switched to will do
    if [[ "$recipe $lgpio" = "$(cat "$new/recipe" 2>/dev/null)" && $new != "$there" ]]; then return; fi
    number=$((number + 1))
    new=$root$opt-$(version)-$number
  done
  if ! step "build ${new#"$root"} (some minutes on a small board)"; then
    new=
    return
  fi
  if [[ $lgpio = apt ]]; then site=(--system-site-packages); fi
  if compgen -G "$here/wheels/pip-*.whl" >/dev/null; then site+=(--without-pip); fi
  mkdir -p "$root/opt"
  { "$python" -m venv "${site[@]}" "$new" && pip_install "$new" &&
    "$new/bin/python" -I -m compileall -q -j 0 "$new"/lib/python3*/site-packages; } >"$work/build" 2>&1 || {
    tail -n 5 "$work/build" >&2
    rm -rf "$new"
    die "the program could not be built; what was there before is as it was" "The reason stands above. $hint"
  }
  sync -f "$new" # all of it is on the disk before it counts as finished
  echo "$recipe $lgpio" >"$work/recipe"
  switch_file "$work/recipe" "$new/recipe"
}

# point ENVIRONMENT: /opt/rearguard is this one, from one moment to the next.
point() {
  ln -sfn "$(basename "$1")" "$root$opt.next"
  mv -fT "$root$opt.next" "$root$opt"
  sync -f "$root/opt"
}

# What no link points to any more, once the new one guards.
tidy() {
  local folder
  for folder in "$root$opt"-[0-9]*; do
    if [[ -d $folder && ! $folder -ef $root$opt ]] && step "remove ${folder#"$root"}"; then rm -rf "$folder"; fi
  done
}
