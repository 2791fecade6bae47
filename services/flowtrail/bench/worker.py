"""A store in a process of its own, so that none has another's memory, threads or cached files on its hands."""

import multiprocessing
import time
import traceback

import stores
import workloads

ROUND_TRIP = "healthz"


class Failed(Exception):
    """What went wrong in a store's process, in its words."""


class Worker:
    """The process of one store; all calls wait for its answer."""

    def __init__(self, name, options):
        self.name = name
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, name, options), daemon=True)
        self.process.start()

    def ask(self, *command):
        try:
            self.pipe.send(command)
            is_good, answer = self.pipe.recv()
        except (EOFError, OSError) as gone:
            raise Failed(f"{self.name}: the process is gone") from gone
        if not is_good:
            raise Failed(f"{self.name}: {answer}")
        return answer

    def close(self):
        try:
            self.ask("close")
        except Failed:
            pass
        self.process.join(60)


def serve(pipe, name, options):
    """Answers the commands of the other end until it says to close, or is gone."""
    store = stores.store(name)(options)
    try:
        while True:
            command, *arguments = pipe.recv()
            if command == "close":
                break
            try:
                answer = (True, COMMANDS[command](store, *arguments))
            except Exception:
                answer = (False, traceback.format_exc(limit=-3))
            pipe.send(answer)
        store.close()
        pipe.send((True, None))
    except (OSError, EOFError, KeyboardInterrupt):
        # Nobody asks any more.
        store.close()


def measured(store, query, seconds, most):
    """How long answers take, in milliseconds, and what the first answer to each variant was."""
    store.begin()
    if query == ROUND_TRIP:
        return timed([store.round_trip], seconds, most)
    asked = variants(store, query)
    for variant in asked:
        store.prepare(variant)
    return timed([lambda variant=variant: store.query(variant) for variant in asked], seconds, most)


def ready(store, query, seconds, most):
    """The same where the answers are there already, for a store that answers over HTTP."""
    store.begin()
    asked = variants(store, query)
    for variant in asked:
        store.prepare(variant)
    with store.ready(asked) as ask:
        return timed([lambda variant=variant: ask(variant) for variant in asked], seconds, most)


def variants(store, query):
    return workloads.BY_NAME[store.options["workload"]].queries()[query]


def timed(asks, seconds, most):
    times, answers, until = [], [], time.perf_counter() + seconds
    while len(times) < len(asks) or (len(times) < most and time.perf_counter() < until):
        started = time.perf_counter()
        answer = asks[len(times) % len(asks)]()
        times.append((time.perf_counter() - started) * 1000)
        if answer is not None and len(answers) < len(asks):
            total, page = answer
            answers.append((total, len(page), page[0] if page else None, page[-1] if page else None))
    return times, answers


COMMANDS = {
    "load": lambda store, path: store.load(path),
    "open": lambda store: store.open(),
    "measure": measured,
    "ready": ready,
    "memory": lambda store: store.memory(),
}
