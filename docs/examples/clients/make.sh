#!/usr/bin/env bash
# Makes a client of each service from docs/openapi in Python and in TypeScript, and asks one question with each.
# bash docs/examples/clients/make.sh [DIRECTORY]; needs Python 3.11, Node.js 20 and the two package indexes.
set -euo pipefail
root="$(cd "$(dirname "$0")/../../.." && pwd)"
here="$root/docs/examples/clients"
into="${1:-$root/dist/clients}"
port="${PORT:-8001}"
mkdir -p "$into/python" "$into/typescript/src"

echo "Python: openapi-python-client"
[ -x "$into/python/.venv/bin/openapi-python-client" ] || {
	python3 -m venv "$into/python/.venv"
	"$into/python/.venv/bin/pip" install --quiet openapi-python-client==0.29.1
}
for service in commitments meetings reporting; do
	printf 'project_name_override: bitacora-%s\npackage_name_override: bitacora_%s\npost_hooks: []\n' \
		"$service" "$service" >"$into/python/$service.yaml"
	"$into/python/.venv/bin/openapi-python-client" generate --overwrite --path "$root/docs/openapi/$service.json" \
		--config "$into/python/$service.yaml" --output-path "$into/python/$service" >"$into/python/$service.log" 2>&1
	grep '^WARNING' "$into/python/$service.log" || true
done

echo "TypeScript: @hey-api/openapi-ts"
cp "$here/ask.ts" "$into/typescript/src/ask.ts"
cd "$into/typescript"
printf '{"private": true, "type": "module"}\n' >package.json
npm install --silent --no-audit --no-fund @hey-api/openapi-ts@0.95.0 typescript@5 tsx@4 @types/node@20
for service in commitments meetings reporting; do
	npx --no-install openapi-ts --silent -i "$root/docs/openapi/$service.json" -o "src/$service"
done
npx --no-install tsc --noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler --target es2022 src/ask.ts

echo "Asking http://127.0.0.1:$((port + 2))"
PYTHONPATH="$into/python/reporting" "$into/python/.venv/bin/python" "$here/ask.py" "http://127.0.0.1:$((port + 2))"
npx --no-install tsx src/ask.ts "http://127.0.0.1:$((port + 2))"
