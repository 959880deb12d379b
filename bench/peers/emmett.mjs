// Appends one event to streams of their own through emmett's PostgreSQL store, for some seconds, and prints the rate.
import { randomUUID } from 'node:crypto';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

const [url, writers, seconds, text] = process.argv.slice(2);
const store = getPostgreSQLEventStore(url);
const append = () =>
  store.appendToStream(`ledger-${randomUUID()}`, [{ type: 'Commented', data: { text } }], {
    expectedStreamVersion: 'STREAM_DOES_NOT_EXIST',
  });
for (let n = 0; n < 50; n++) await append();
let written = 0;
const began = process.hrtime.bigint();
const elapsed = () => Number(process.hrtime.bigint() - began) / 1e9;
await Promise.all(
  Array.from({ length: Number(writers) }, async () => {
    while (elapsed() < Number(seconds)) {
      await append();
      written++;
    }
  }),
);
console.log(written / elapsed());
await store.close();
process.exit(0);
