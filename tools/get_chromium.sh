#!/usr/bin/env bash
# Sees to a Chromium for the browser tests. Exit 0: there is one. Exit 3: none can be had, and the
# browser tests are to be skipped, which is said in one line. Exit 1: none, where CI must have one.
set -u

have() { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null 2>&1

have && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Chromium from Debian's packages for the browser tests."
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core; } >/dev/null 2>&1
  have && exit 0
fi
if [ "${CI:-}" = true ]; then
  echo "No Chromium found, and CI must run the browser tests." >&2
  exit 1
fi
echo "Skipped: the browser tests, for no Chromium was found (install chromium to run them)."
exit 3
