"""A Celery worker that saves what pulp-streamer asks for.

    BROKER_URL=amqp://guest@localhost// STREAMER_URL=http://127.0.0.1:8751 STORAGE=/srv/saved \
        python3 -m celery -A worker worker --pool threads --concurrency 4

It stands for the part of Pulp 2 that consumes save tasks, under Pulp's own task names: it takes the reservation apart, lets no two tasks work on
the same unit at a time, downloads the unit through the streamer, checks it and puts it in place. Each finished task is one line of JSON in
RESULTS. It takes messages of both of Celery's protocols; nothing in it is particular to pulp-streamer but the header of its requests.
"""
import hashlib
import json
import os
import sqlite3
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import closing

from celery import Celery
from celery.signals import task_postrun
from kombu import Exchange, Queue

BROKER = os.environ.get('BROKER_URL', 'amqp://guest@localhost//')
STREAMER = os.environ.get('STREAMER_URL', 'http://127.0.0.1:8751')
STORAGE = os.path.abspath(os.environ.get('STORAGE', 'saved'))
RESULTS = os.environ.get('RESULTS', os.path.join(STORAGE, 'results.jsonl'))
RESERVATIONS = os.path.join(STORAGE, 'reservations.db')
# What pulp-streamer is told in `save_task`.
SAVE_TASK = os.environ.get('SAVE_TASK', 'pulp.server.controllers.content._download_one')

os.makedirs(STORAGE, exist_ok=True)
app = Celery('save-tasks', broker=BROKER)


def queue(name):
    """Celery 3.1 publishes to an exchange of the queue's name, later ones to the default exchange: this one gets both."""
    return Queue(name, Exchange(name, type='direct'), routing_key=name)


app.conf.update(
    task_queues=[queue('resource_manager'), queue('celery'), queue('saves')],
    task_default_queue='celery',
    accept_content=['json'],
    task_ignore_result=True,
    # A task is taken from the queue for good when it is done, not when it begins: a worker that dies loses none.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)


def reservations():
    """One row for each resource that some task has. A file, so that all threads and processes of this machine agree."""
    database = sqlite3.connect(RESERVATIONS, timeout=30, isolation_level=None)
    database.execute('CREATE TABLE IF NOT EXISTS reservations (resource TEXT PRIMARY KEY, task_id TEXT NOT NULL)')
    return closing(database)


def reserve(resource, task_id):
    """Whether the resource is the task's, now or already."""
    with reservations() as database:
        database.execute('INSERT OR IGNORE INTO reservations VALUES (?, ?)', (resource, task_id))
        held_by, = database.execute('SELECT task_id FROM reservations WHERE resource = ?', (resource,)).fetchone()
        return held_by == task_id


def release(task_id):
    with reservations() as database:
        database.execute('DELETE FROM reservations WHERE task_id = ?', (task_id,))


@app.task(name='pulp.server.async.tasks._queue_reserved_task', bind=True, max_retries=None)
def queue_reserved_task(self, name, task_id, resource, args, kwargs):
    """Queues the task called `name` once no other task has the resource. `args` and `kwargs` are what apply_async is called with."""
    if not reserve(resource, task_id):
        raise self.retry(countdown=0.2)
    options = dict(kwargs)
    headers = {'resource': resource, 'tags': options.pop('tags', [])}
    for header in ('x-request-id', 'traceparent'):
        if header_of(self.request, header):
            headers[header] = header_of(self.request, header)
    self.app.send_task(name, *args, task_id=task_id, queue='saves', headers=headers, **options)


@task_postrun.connect
def release_reservation(task_id=None, state=None, **_):
    """Whatever came of a task, its resource is free again; one that will be tried again keeps it."""
    if state != 'RETRY':
        release(task_id)


@app.task(name=SAVE_TASK, bind=True, autoretry_for=(OSError,), retry_backoff=True, max_retries=10)
def save(self, entry, **options):
    """Saves one unit, described as in Pulp's `lazy_content_catalog`."""
    began = time.time()
    target = os.path.normpath(STORAGE + os.sep + entry['path'])
    if os.path.commonpath([STORAGE, target]) != STORAGE:
        raise ValueError(f'{entry["path"]} leads out of {STORAGE}')
    # Somebody else may have had the reservation before, for the same unit.
    outcome = 'present' if os.path.exists(target) else download(entry, target)
    result = {
        'outcome': outcome,
        'unit_id': entry['unit_id'],
        'path': entry['path'],
        'task_id': self.request.id,
        'resource': header_of(self.request, 'resource'),
        'tags': header_of(self.request, 'tags'),
        'request_id': header_of(self.request, 'x-request-id'),
        'traceparent': header_of(self.request, 'traceparent'),
        'options': options,
        'began': began,
        'ended': time.time(),
    }
    with open(RESULTS, 'a') as results:
        results.write(json.dumps(result) + '\n')


def download(entry, target):
    """Downloads a unit as Pulp does, through the streamer, and puts it in place whole or not at all."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    # Without the header the streamer would ask for the unit to be saved, which is what happens here.
    request = urllib.request.Request(
        STREAMER + urllib.parse.quote(entry['path']), headers={'Pulp-Stream-Request': 'true'}
    )
    digest = hashlib.new(entry.get('checksum_algorithm') or 'sha256')
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(target), delete=False) as part:
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                while chunk := response.read(1 << 20):
                    digest.update(chunk)
                    part.write(chunk)
            if entry.get('checksum') not in (None, digest.hexdigest()):
                raise OSError(f'{entry["path"]}: the checksum is {digest.hexdigest()}, expected {entry["checksum"]}')
            part.flush()
            os.fsync(part.fileno())
            os.rename(part.name, target)
        except BaseException:
            os.unlink(part.name)
            raise
    return 'saved'


@app.task(name='pulp.server.controllers.repository.queue_download_deferred')
def queue_download_deferred():
    """Where Pulp looks into `deferred_download`; here it only tells that it was asked to."""
    with open(RESULTS, 'a') as results:
        results.write(json.dumps({'outcome': 'nudged'}) + '\n')


def header_of(request, name):
    """A header of a task's message, by whichever protocol it came."""
    return request.get(name) or (request.headers or {}).get(name)
