"""An import from beginning to end: read, check, decide in order of days, append in batches, report.

All of a row goes in or nothing of it, some hundred rows to a transaction. While one batch is being written the next is
decided; if somebody else wrote to one of its commitments meanwhile, those are read again and decided again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import batched
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from services.commitments.importing.holdings import Holdings
from services.commitments.importing.mapping import Mapping, check_columns, load_mapping
from services.commitments.importing.observation import Interpreter, Observation, Problem
from services.commitments.importing.plan import Planner, Refused, Story, tell_stories
from services.commitments.importing.reading import read_table
from services.commitments.importing.report import LONGEST_VALUE, Report, RowError
