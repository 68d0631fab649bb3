"""Clients that edit a plain table by its key: as fast as they can, or at a steady pace."""

import multiprocessing
import random
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

EDITORS = 4
EDIT_SQL = "UPDATE `{table}` SET version = version + 1, last_modified = %s WHERE entity_id = %s"


@dataclass
class Tally:
    edits: int = 0
    seconds: float = 0.0  # from the first one's begin to the last one's end
    transactions: list[float] = field(default_factory=list)  # seconds of each, COMMIT and all


class Editors:
    """A context manager: they edit inside it, each a process with entities of its own, so that none waits for another's
    locks. `edits`: in all; `per_transaction` of them together; `rate`: edits a second of all, None: no pauses."""

    def __init__(self, connect: Callable[[], Any], table: str, entities: list[str], edits: int, per_transaction: int,
                 rate: Optional[float], seed: int) -> None:
        self._context = multiprocessing.get_context("fork")
        self._connect, self._sql, self._per_transaction = connect, EDIT_SQL.format(table=table), per_transaction
        self._transactions = max(1, edits // per_transaction // EDITORS)
        self._interval = EDITORS * per_transaction / rate if rate else 0.0
        self._pipes, self._processes = [], []
        for number in range(EDITORS):
            receiver, sender = self._context.Pipe(duplex=False)
            some = entities[number::EDITORS]
            process = self._context.Process(target=self._edit, args=(sender, some, f"{seed}/{number}"), daemon=True)
            self._pipes.append((receiver, sender))
            self._processes.append(process)

    def __enter__(self) -> "Editors":
        for process, (_, sender) in zip(self._processes, self._pipes):
            process.start()
            sender.close()  # ours: a dead editor must read as the end of its pipe
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.join()

    def at_work(self) -> bool:
        return any(process.is_alive() for process in self._processes) and not all(
            receiver.poll() for receiver, _ in self._pipes)

    def result(self) -> Tally:
        """When all are done. RuntimeError when one has died."""
        tally, begins, ends = Tally(), [], []
        for number, (receiver, _) in enumerate(self._pipes):
            try:
                begin, end, seconds = receiver.recv()
            except EOFError:
                raise RuntimeError(f"editor {number} died; its last words are above") from None
            begins.append(begin)
            ends.append(end)
            tally.transactions += seconds
        tally.edits = EDITORS * self._transactions * self._per_transaction
        tally.seconds = max(ends) - min(begins)
        return tally

    def _edit(self, sender: Any, entities: list[str], seed: str) -> None:
        chance = random.Random(seed)
        connection = self._connect()
        seconds = []
        begin = time.monotonic()
        with connection.cursor() as cursor:
            for number in range(self._transactions):
                time.sleep(max(0.0, begin + number * self._interval - time.monotonic()))
                started = time.monotonic()
                connection.begin()
                for entity in chance.sample(entities, min(len(entities), self._per_transaction)):
                    cursor.execute(self._sql, (started, entity))
                connection.commit()
                seconds.append(time.monotonic() - started)
        sender.send((begin, time.monotonic(), seconds))
        connection.close()
