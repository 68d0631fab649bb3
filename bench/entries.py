"""Made-up dictionary entries of some 565 bytes: as rows for MariaDB, and as the bulk requests that pawl would make of
them, byte for byte. The same number gives the same entry every time."""

import random
from pathlib import Path

SEED = 7
VOCABULARY_WORDS = 8_000
SYLLABLES = "an bok da en fjäll gre hus i kol la mån nord or på rik sten tall und vå yr å ö bår sked lom tvin".split()
TIME = 1_732_406_400  # of the first entry; each is a tenth of a second after the one before
ULID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DRAWN_AT_ONCE = 50_000


class Entries:
    """`write()` makes `count` entries."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._random = random.Random(SEED)
        draw = self._random.choices
        words = {"".join(draw(SYLLABLES, k=self._random.randint(2, 4))) for _ in range(VOCABULARY_WORDS)}
        self._words = sorted(words)
        self._random.shuffle(self._words)
        # Some words are frequent and most are rare, as in any language.
        total = 0.0
        self._weights = []
        for rank in range(len(self._words)):
            total += 1 / (rank + 3)
            self._weights.append(total)
        self._drawn: list[str] = []

    def write(self, rows: Path, ndjson: Path) -> int:
        """Tab-separated rows for LOAD DATA and the NDJSON of bulk requests. Returns the bytes of all documents."""
        document_bytes = 0
        with rows.open("w", encoding="utf-8") as table, ndjson.open("wb") as bulk:
            for number in range(1, self._count + 1):
                entity, modified = self._ulid(number), TIME + number / 10 + 0.05
                body = self._body(number)
                table.write(f"{number}\t{entity}\t1\t{modified!r}\timport\t{body}\tOK\tEntry added.\tADDED\t0\n")
                document = (f'{body[:-1]},"_entry_version":1,"_last_modified":{modified!r},'
                            '"_last_modified_by":"import","_resource_id":"lex"}').encode()
                action = f'{{"index":{{"_id":"{entity}","version":{number},"version_type":"external_gte"}}}}\n'
                bulk.write(action.encode() + document + b"\n")
                document_bytes += len(document)
        return document_bytes

    def _ulid(self, number: int) -> str:
        """26 letters: 10 that rise with the time, 16 by chance."""
        value = ((TIME * 1000 + number * 100) << 80) | self._random.getrandbits(80)
        return "".join(ULID_LETTERS[value >> shift & 31] for shift in range(125, -1, -5))

    def _text(self, words: int) -> str:
        if len(self._drawn) < words:
            self._drawn = self._random.choices(self._words, cum_weights=self._weights, k=DRAWN_AT_ONCE)
        taken = self._drawn[-words:]
        del self._drawn[-words:]
        return " ".join(taken)

    def _body(self, number: int) -> str:
        chance = self._random.getrandbits(30)
        head, gloss, example = self._text(1), self._text(4 + chance % 9), self._text(3 + chance % 7)
        etymology = f'"etymology":{{"language":"{self._text(1)}","comment":"{self._text(3 + chance % 5)}"}},'
        part_of_speech = ("nn", "vb", "av", "ab")[chance % 4]
        return (f'{{"baseform":"{head}","partOfSpeech":"{part_of_speech}","homograph":{chance % 3},'
                f'"inflection":{{"table":"p{chance % 97}","forms":["{head}en","{head}ar","{head}arna"]}},'
                f'"senses":[{{"id":"{head}..{number}","gloss":"{gloss}","examples":["{example}"]}}],'
                f'{etymology if chance & 64 else ""}'
                f'"sources":["saol14","so2021"],"checked":{"true" if chance & 128 else "false"}}}')
