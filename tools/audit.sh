#!/usr/bin/env bash
# Asks for known weaknesses of what the lock files name. Exit code 1 where there are some, 3 where
# the lists could not be had: then nothing was checked, and nothing is known.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
worst=0

# Where a registry keeps no list of weaknesses, pip-audit calls all it asked for "not found" and is
# content, unless it is strict.
judge() { # judge NAME CODE: say how it went; whatever was printed stands in the log
  if [ "$2" = 0 ]; then
    printf '%s: nothing known.\n' "$1"
  elif ! grep -qE '^Found [0-9]+ known|[0-9]+ (low|moderate|high|critical)' "$log"; then
    printf '%s: NOT CHECKED, as the list of known weaknesses could not be had.\n' "$1"
    [ "$worst" = 1 ] || worst=3
  else
    cat "$log"
    printf '%s: weaknesses are known, see above.\n' "$1"
    worst=1
  fi
}

for lock in requirements.lock requirements-dev.lock requirements-audit.lock; do
  timeout 300 .audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --timeout 10 \
    -r "$lock" >"$log" 2>&1
  judge "$lock" $?
done
npm=$(command -v npm || echo .venv/bin/npm)
if [ -x "$npm" ]; then
  timeout 120 "$npm" audit --package-lock-only --fetch-retries=0 >"$log" 2>&1
  judge package-lock.json $?
else
  printf 'package-lock.json: NOT CHECKED, as there is no npm.\n'
  [ "$worst" = 1 ] || worst=3
fi
exit "$worst"
