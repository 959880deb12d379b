#!/usr/bin/env bash
# Looks at the pages that `make run` serves; needs Node.js 20, Chromium and the npm registry.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
browser="$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)"
[ -n "$browser" ] || { echo "there is no Chromium on the path" >&2; exit 1; }
into="$here/../../dist/accessibility"
mkdir -p "$into"
cp "$here/check.mjs" "$into/"
cd "$into"
printf '{"private": true, "type": "module"}\n' >package.json
npm install --silent --no-audit --no-fund axe-core@4 html-validate@11 playwright-core@1
node check.mjs "http://127.0.0.1:$((${PORT:-8001} + 2))" "$browser"
