"""Reads tasks, one JSON object per line; writes the messages of a real Celery client, one per line."""
import json
import sys

from celery import Celery

app = Celery('messages', broker='memory://')
for line in sys.stdin:
    task = json.loads(line)
    make = {1: app.amqp.as_task_v1, 2: app.amqp.as_task_v2}[task['protocol']]
    message = make(task['id'], task['name'], task['args'], task['kwargs'], origin=task['origin'], ignore_result=False) \
        if task['protocol'] == 2 else make(task['id'], task['name'], task['args'], task['kwargs'])
    print(json.dumps({'headers': message.headers, 'properties': message.properties, 'body': message.body}))
