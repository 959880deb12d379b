// Asks the client that was made from the OpenAPI document how many commitments are delayed, and names the first.
import { createClient } from './reporting/client';
import { getBoard, listCommitments } from './reporting';

const client = createClient({ baseUrl: process.argv[2] });
const board = await getBoard({ client, throwOnError: true });
const found = await listCommitments({ client, query: { status: 'delayed', limit: 1 }, throwOnError: true });
const { by_status, registered } = board.data.totals;
console.log(`TypeScript: ${by_status.delayed} of ${registered} are delayed, the first ${found.data.items[0].code}.`);
