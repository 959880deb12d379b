#!/usr/bin/env bash
# Takes the record back to a moment, on one machine, as the user postgres:
#
#   restore.sh '2026-11-26 14:00:00+00'
#
# Patroni is stopped on all machines, and what node.env says is in the environment. What was there is kept beside it.
# Afterwards Patroni starts here first; on the other machines the data directory is moved aside before it does.
# docs/operating.md says what is to be done then.
set -euo pipefail

moment=${1:?to which moment?}
config=${2:-/etc/patroni/config.yml}
data=${PATRONI_POSTGRESQL_DATA_DIR:?is not set: read the file of settings first}
bin=${PATRONI_POSTGRESQL_BIN_DIR:?is not set: read the file of settings first}
cluster=bitacora

if "$bin/pg_ctl" status --pgdata "$data" >/dev/null 2>&1; then
  echo "PostgreSQL still runs here: stop Patroni on all machines first." >&2
  exit 1
fi

kept="$data.before-$(date -u +%Y%m%dT%H%M%SZ)"
[ ! -e "$data" ] || mv "$data" "$kept"
mkdir -m 0700 "$data"
pgbackrest --stanza="$cluster" --type=time --target="$moment" --target-action=promote restore

# It comes back where nobody can connect to it, and is promoted once it has come to the moment: only then "in production".
"$bin/pg_ctl" start --pgdata "$data" --silent --log "$data/restore.log" \
  --options "-c listen_addresses='' -c synchronous_standby_names='' -c hot_standby=off" >/dev/null
until "$bin/pg_controldata" "$data" | grep --quiet 'in production'; do
  if ! "$bin/pg_ctl" status --pgdata "$data" >/dev/null; then
    tail "$data/restore.log" >&2
    echo "It did not come to that moment: the archive may end before it. What was there is in $kept." >&2
    exit 1
  fi
  sleep 1
done
"$bin/pg_ctl" stop --pgdata "$data" --silent --wait --timeout 600 --mode fast

# The cluster that was there is forgotten; this machine begins it anew.
printf '%s\nYes I am aware\n' "$cluster" | patronictl --config-file "$config" remove "$cluster"
echo "Restored to $moment; what was there before is in $kept."
