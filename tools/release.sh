#!/usr/bin/env bash
# Makes dist/rearguard-VERSION.tar.gz: the folder from which install.sh installs without a network. `release.sh FOLDER` leaves
# it unpacked in FOLDER instead; BOARDS and PYTHONS choose the wheels.
#
# It holds install.sh, systemd/, the operator's page, the ready-made configurations, and wheels for every Python and board that
# is supported. Those from PyPI are checked against requirements.lock; SHA256SUMS then covers all that
# is installed.
#
# Boards with a 32-bit system need a msgspec that PyPI does not have. piwheels has it: give its index in ARM_INDEX, or such
# boards need a network for the installation.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
# what installs the wheels, so that a board needs neither python3-venv nor a pip of its own
pip_pin='pip==26.3 --hash=sha256:f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13'

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' firmware/rearguard/__init__.py)
name=rearguard-$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$work/$name
mkdir -p "$folder/wheels" "$folder/docs"

"$python" -m venv "$work/tools"
pip() { "$work/tools/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }

echo "$name: the program"
mkdir "$work/source" && cp -r pyproject.toml README.md LICENSE firmware "$work/source"
rm -rf "$work/source/firmware/"*.egg-info
pip wheel --no-deps --wheel-dir "$folder/wheels" "$work/source"

echo "$name: what it runs on"
echo "$pip_pin" >"$work/pip.lock"
pip download --require-hashes --no-deps --only-binary=:all: --dest "$folder/wheels" -r "$work/pip.lock"
# lgpio has wheels for CPython 3.11 only; elsewhere apt has it
awk '/^[a-z]/ { keep = !/^lgpio==/ } keep' requirements.lock >"$work/313.lock"
cp requirements.lock "$work/311.lock"
for board in ${BOARDS:-aarch64 x86_64}; do
  for python_version in ${PYTHONS:-311 313}; do
    pip download --require-hashes --no-deps --only-binary=:all: --dest "$folder/wheels" -r "$work/$python_version.lock" \
      --implementation cp --python-version "$python_version" --abi "cp$python_version" --abi abi3 --abi none \
      --platform "manylinux_2_34_$board" --platform "manylinux_2_28_$board" \
      --platform "manylinux_2_17_$board" --platform "manylinux2014_$board"
  done
done
if [[ ${ARM_INDEX:-} ]]; then
  msgspec=$(grep -o '^msgspec==[^ ]*' requirements.lock)
  for python_version in 311 313; do
    PIP_INDEX_URL="$ARM_INDEX" pip download --no-deps --only-binary=:all: --dest "$folder/wheels" --platform linux_armv7l \
      --implementation cp --python-version "$python_version" --abi "cp$python_version" "$msgspec"
  done
else
  echo "$name: no ARM_INDEX: 32-bit boards will need a network"
fi

cp -r install.sh systemd requirements.lock LICENSE "$folder"
cp docs/operate.md docs/read-only.md docs/faults.md "$folder/docs"
cp -r firmware/rearguard/default.toml firmware/rearguard/builds "$folder"
cp systemd/cloud-init/user-data "$folder/user-data"
# without what the reader is invited to edit, to rename and to move away
(cd "$folder" && find . -type f ! -path ./user-data ! -path ./default.toml ! -path './builds/*' -print0 | sort -z | xargs -0 sha256sum) >"$work/sums"
mv "$work/sums" "$folder/SHA256SUMS"

if [[ ${1:-} ]]; then
  mv "$folder" "$1"
  exit
fi
mkdir -p dist
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" \
  -C "$work" -cf - "$name" | gzip -n >"dist/$name.tar.gz"
ls -lh "dist/$name.tar.gz"
