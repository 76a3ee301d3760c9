"""A Celery worker that saves the units that pulp-streamer requests.

    BROKER_URL=amqp://guest@localhost// STREAMER_URL=http://127.0.0.1:8751 STORAGE=/srv/saved \
        python3 -m celery -A worker worker --pool threads --concurrency 4

It stands for the part of Pulp 2 that consumes save tasks, under Pulp's own task names. It decodes
the reservation, lets one task at a time work on a unit, downloads the unit through the streamer,
verifies it and moves it into place. Each finished task is one line of JSON in RESULTS. It takes
messages of both of Celery's protocols. Only the header of its requests is specific to pulp-streamer.
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
# As in the setting `save_task` of pulp-streamer.
SAVE_TASK = os.environ.get('SAVE_TASK', 'pulp.server.controllers.content._download_one')

os.makedirs(STORAGE, exist_ok=True)
app = Celery('save-tasks', broker=BROKER)


def queue(name):
    """A queue for Celery 3.1, which publishes to an exchange of its name, and for later versions, which
    publish to the default exchange."""
    return Queue(name, Exchange(name, type='direct'), routing_key=name)


app.conf.update(
    task_queues=[queue('resource_manager'), queue('celery'), queue('saves')],
    task_default_queue='celery',
    accept_content=['json'],
    task_ignore_result=True,
    # A task leaves the queue when it is done, not when it begins. So a worker that dies loses none.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)


def reservations():
    """One row for each resource that a task holds. All threads and processes of this machine share the
    file."""
    database = sqlite3.connect(RESERVATIONS, timeout=30, isolation_level=None)
    database.execute('CREATE TABLE IF NOT EXISTS reservations (resource TEXT PRIMARY KEY, task_id TEXT NOT NULL)')
    return closing(database)


def reserve(resource, task_id):
    """Reserves the resource for the task; false if another task holds it."""
    with reservations() as database:
        database.execute('INSERT OR IGNORE INTO reservations VALUES (?, ?)', (resource, task_id))
        held_by, = database.execute('SELECT task_id FROM reservations WHERE resource = ?', (resource,)).fetchone()
        return held_by == task_id


def release(task_id):
    with reservations() as database:
        database.execute('DELETE FROM reservations WHERE task_id = ?', (task_id,))


@app.task(name='pulp.server.async.tasks._queue_reserved_task', bind=True, max_retries=None)
def queue_reserved_task(self, name, task_id, resource, args, kwargs):
    """Queues the task called `name` once no other task holds the resource. `args` and `kwargs` are the
    arguments of its apply_async."""
    if not reserve(resource, task_id):
        raise self.retry(countdown=0.2)
    options = dict(kwargs)
    headers = {'resource': resource, 'tags': options.pop('tags', [])}
    for header in ('x-request-id', 'traceparent', 'tracestate'):
        if header_of(self.request, header):
            headers[header] = header_of(self.request, header)
    self.app.send_task(name, *args, task_id=task_id, queue='saves', headers=headers, **options)


@task_postrun.connect
def release_reservation(task_id=None, state=None, **_):
    """Frees the resource of a task that succeeded or failed. A task that is retried keeps it."""
    if state != 'RETRY':
        release(task_id)


@app.task(name=SAVE_TASK, bind=True, autoretry_for=(OSError,), retry_backoff=True, max_retries=10)
def save(self, entry, **options):
    """Saves one unit, described as in Pulp's `lazy_content_catalog`."""
    began = time.time()
    target = os.path.normpath(STORAGE + os.sep + entry['path'])
    if os.path.commonpath([STORAGE, target]) != STORAGE:
        raise ValueError(f'{entry["path"]} is outside of {STORAGE}')
    # An earlier task may have saved the same unit.
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
        'tracestate': header_of(self.request, 'tracestate'),
        'options': options,
        'began': began,
        'ended': time.time(),
    }
    with open(RESULTS, 'a') as results:
        results.write(json.dumps(result) + '\n')


def download(entry, target):
    """Downloads a unit through the streamer, as Pulp does, and moves it into place once it is whole."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    # Without this header the streamer would request another save of the unit.
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
    """Pulp reads `deferred_download` here; this worker only records the call."""
    with open(RESULTS, 'a') as results:
        results.write(json.dumps({'outcome': 'nudged'}) + '\n')


def header_of(request, name):
    """A header of a task's message, in either protocol."""
    return request.get(name) or (request.headers or {}).get(name)
