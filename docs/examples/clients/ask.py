"""Asks the client that was made from the OpenAPI document how many commitments are delayed, and names the first."""

import sys

from bitacora_reporting import Client
from bitacora_reporting.api.board import get_board
from bitacora_reporting.api.commitments import list_commitments

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
board = get_board.sync(client=client)
found = list_commitments.sync(client=client, status="delayed", limit=1)
delayed = board.totals.by_status["delayed"]
print(f"Python: {delayed} of {board.totals.registered} are delayed, the first {found.items[0].code}.")
