"""Threads that write to a table, or look at an index, while a test does something else."""

import contextlib
import random
import threading

WRITERS = 3
ROLLED_BACK = 0.1  # of the transactions
LOOK_SECONDS_MAX = 30
REST_SECONDS = 0.003  # after each: else three threads take a processor from whatever is tested


class Busy:
    """As long as the block lasts, each thread makes one transaction of a few changes after the other, with hardly a rest.

    `connect()` gives a new connection; `change(cursor, dice, entity)` changes one entity, which no other thread
    writes to."""

    def __init__(self, connect, change, entities=40, seed=1):
        self.connect, self.change, self.entities, self.seed = connect, change, entities, seed
        self.rows, self.failure = 0, None
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,)) for number in range(WRITERS)]

    def _run(self, number):
        dice = random.Random(f"{self.seed}/{number}")
        try:
            connection = self.connect()
            with contextlib.closing(connection), connection.cursor() as cursor:
                while not self.stop.is_set():
                    connection.begin()
                    for _ in range(dice.randint(1, 4)):
                        self.change(cursor, dice, f"busy{number}.{dice.randrange(self.entities)}")
                        self.rows += 1
                    connection.rollback() if dice.random() < ROLLED_BACK else connection.commit()
                    self.stop.wait(REST_SECONDS)
        except Exception as failure:  # told by the thread that waits
            self.failure = failure

    def alive(self):
        return all(thread.is_alive() for thread in self.threads)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        if self.failure:
            raise self.failure


class Reader:
    """As long as the block lasts, a thread asks for `count()`: of documents that never change, so that `seen` has one
    number in the end. What it raises, where the alias leads nowhere for a moment, is raised at the end."""

    def __init__(self, count):
        self.count, self.seen, self.failure = count, {count()}, None
        self.looks = 0  # that have come to their end
        self.stop, self.looked = threading.Event(), threading.Condition()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            while not self.stop.is_set():
                self.seen.add(self.count())
                self._ended()
        except Exception as failure:
            self.failure = failure
            self._ended()

    def _ended(self):
        with self.looked:
            self.looks += 1
            self.looked.notify_all()

    def look_again(self):
        """Returns when a look has come to its end that has begun since."""
        with self.looked:
            goal = self.looks + 2
            is_there = self.looked.wait_for(lambda: self.failure or self.looks >= goal, LOOK_SECONDS_MAX)
        assert is_there, "nobody looks"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        if self.failure:
            raise self.failure
