#!/usr/bin/env bash
# Makes an environment with the newest suitable Python on the path and installs what a lock file
# names: .venv with the project itself, or `tools/install.sh FOLDER LOCK_FILE`.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv} lock=${2:-requirements-dev.lock}

suitable='import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (4,))'

find_python() {
  for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
    if "$name" -c "$suitable" >/dev/null 2>&1; then
      printf '%s\n' "$name"
      return
    fi
  done
  printf '%s\n' "Clauseway needs Python 3.11 or newer (on Debian and Ubuntu with its python3-venv package), and none was found." >&2
  exit 1
}

if ! "$venv/bin/python" -c "$suitable" >/dev/null 2>&1; then
  python=$(find_python)
  printf 'Making %s with %s.\n' "$venv" "$("$python" --version)"
  rm -rf "$venv"
  "$python" -m venv "$venv"
fi

log=$venv/install.log
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@" >>"$log" 2>&1; }

printf 'Installing the locked dependencies into %s: about a minute the first time.\n' "$venv"
: >"$log"
if ! pip install --retries 1 --require-hashes -r "$lock" ||
  { [ "$venv" = .venv ] && ! pip install --no-deps --no-build-isolation --no-index -e .; }; then
  if grep -qiE 'NewConnectionError|NameResolutionError|ConnectTimeout|ConnectionError|Max retries|getaddrinfo' "$log"; then
    printf 'The dependencies could not be downloaded: is there a network connection?\n' >&2
  else
    tail -n 15 "$log" >&2
    printf 'The dependencies could not be installed; the whole story is in %s.\n' "$log" >&2
  fi
  exit 1
fi
