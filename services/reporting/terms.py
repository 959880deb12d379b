"""Words as they are filed and looked for: without capitals and accents, and without the inflections of Spanish.

Both engines are given the very terms that are made here, so that they find the same. Words that say little (`de`, `la`)
are not filed: in a phrase, what stands on either side of them is next to each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from threading import Lock
from typing import Final, NamedTuple

import Stemmer

from shared.errors import InvalidInput
from shared.events.texts import folded

MOST_CLAUSES: Final = 20
LONGEST_PHRASE: Final = 20
"""Words in one phrase."""
SHORTEST_BEGINNING: Final = 2
LONGEST_WORD: Final = 64
"""Characters of a word that count."""
CHUNK: Final = 240
"""Terms filed together: PostgreSQL remembers no more than 256 places of one term in one row."""

_WORD: Final = re.compile(r"[^\W_]+")
_CLAUSE: Final = re.compile(r'(-?)(?:"([^"]*)"|([^\s"]+))')
_LITTLE: Final = """
    a al ante antes asi aun bajo cada como con contra cual cuando de del desde donde durante e el ella ellas ellos en
    entre era es esa esas ese eso esos esta estas este esto estos fue ha han hasta hay la las le les lo los mas mi muy
    ni no nos o otra otras otro otros para pero por porque que quien se segun ser si sin sobre son su sus tambien tan
    todo todos u un una unas uno unos y ya
"""
_SAY_LITTLE: Final = frozenset(_LITTLE.split())

_stemmer: Final = Stemmer.Stemmer("spanish")
_stemming: Final = Lock()


class Term(NamedTuple):
    """A word as it is written, folded, and what is left of it without its inflections."""

    word: str
    stem: str


def terms_of(text: str) -> list[Term]:
    """The terms of a text, in their order."""
    words = (word[:LONGEST_WORD] for word in _WORD.findall(folded(text)))
    return [Term(word, _stem(word)) for word in words if word not in _SAY_LITTLE]


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    with _stemming:
        # Until nothing changes: the plural of `joven` becomes `joven`, and that becomes `jov`.
        while (shorter := _stemmer.stemWord(word)) != word:
            word = shorter
    return word


@lru_cache(maxsize=10_000)
def filed(text: str) -> tuple[str, ...]:
    """A text as it is filed: parts that overlap by a phrase, each its stems in order, a bar, and its words."""
    terms = terms_of(text)
    starts = range(0, max(1, len(terms) - LONGEST_PHRASE + 1), CHUNK - LONGEST_PHRASE + 1)
    return tuple(_part(terms[start : start + CHUNK]) for start in starts)


NOTHING: Final = "|"
"""What is filed of a text without terms."""


def _part(terms: Sequence[Term]) -> str:
    return f"{' '.join(one.stem for one in terms)}|{' '.join(sorted({one.word for one in terms}))}"


def tsvector(part: str) -> str:
    """What is filed, as PostgreSQL reads a `tsvector`: stems with their places, and words with a mark and without."""
    stems, _, words = part.partition("|")
    places: dict[str, list[str]] = {}
    for place, stem in enumerate(stems.split(), 1):
        places.setdefault(stem, []).append(str(place))
    return " ".join(
        [
            *(f"'{stem}':{','.join(found)}" for stem, found in places.items()),
            *(f"'~{one}'" for one in words.split()),
        ]
    )


def from_tsvector(vector: str) -> str:
    """What was filed, from what PostgreSQL holds of it."""
    words, stems = list[str](), dict[int, str]()
    for lexeme in vector.split():
        text, _, places = lexeme.partition("':")
        text = text.strip("'")
        if text.startswith("~"):
            words.append(text[1:])
        else:
            stems.update((int(place), text) for place in places.split(","))
    return f"{' '.join(stems[place] for place in sorted(stems))}|{' '.join(sorted(words))}"


class Clause(NamedTuple):
    """One thing looked for: stems that follow one another, or the beginning of a word."""

    stems: tuple[str, ...] = ()
    beginning: str = ""

    def tsquery(self) -> str:
        """How PostgreSQL is asked for it."""
        if self.beginning:
            return f"'~{self.beginning}':*"
        return " <-> ".join(f"'{stem}'" for stem in self.stems)

    def fts5(self) -> str:
        """How SQLite is asked for it."""
        if self.beginning:
            return f'words : "{self.beginning}" *'
        return f'stems : "{" ".join(self.stems)}"'


class Search(NamedTuple):
    """What must be told of a commitment, all of it, and what must not."""

    wanted: tuple[Clause, ...]
    excluded: tuple[Clause, ...]


def search_for(text: str) -> Search:
    """What somebody looks for; InvalidInput where that is nothing, or too much.

    Words, all of which must be there; `"a phrase"`; `begin*`; and with a `-` before it what must not be there.
    """
    if text.count('"') % 2:
        raise _unclear("A phrase begins and ends with a quotation mark.")
    found: dict[bool, list[Clause]] = {False: [], True: []}
    for minus, phrase, word in _CLAUSE.findall(text):
        clause = _clause(word or phrase, beginning=bool(word) and word.endswith("*"))
        if clause is not None:
            found[bool(minus)].append(clause)
    if len(found[False]) + len(found[True]) > MOST_CLAUSES:
        raise _unclear(f"Look for at most {MOST_CLAUSES} words and phrases at once.")
    if found[True] and not found[False]:
        raise _unclear("What is excluded alone looks for nothing: name a word that must be there, too.")
    if not found[False]:
        raise _unclear("Look for at least one word that says something; `de` or `la` alone do not.")
    return Search(_once(found[False]), _once(found[True]))


def _once(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    return tuple(dict.fromkeys(clauses))


def _clause(text: str, *, beginning: bool) -> Clause | None:
    if beginning:
        words = _WORD.findall(folded(text))
        if len(words) != 1 or len(words[0]) < SHORTEST_BEGINNING:
            raise _unclear(
                f"`*` follows the beginning of one word, of {SHORTEST_BEGINNING} letters at least."
            )
        return Clause(beginning=words[0][:LONGEST_WORD])
    stems = tuple(term.stem for term in terms_of(text))
    if len(stems) > LONGEST_PHRASE:
        raise _unclear(f"A phrase has at most {LONGEST_PHRASE} words.")
    return Clause(stems) if stems else None


def _unclear(detail: str) -> InvalidInput:
    return InvalidInput("search-unclear", detail, pointer="/query/q")
