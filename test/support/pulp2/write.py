"""Writes Pulp 2's documents to MongoDB: an independent client (Debian's python3-pymongo).

Reads one JSON object per line from standard input, {"do": NAME, ...}, and answers each with a line:
{"ok": RESULT} or {"error": TEXT}. Arguments: the URL, and the name of the database. Documents have
`_ns`, their collection's name, as in Pulp.
"""

import hashlib
import json
import sys
import uuid

import bson
import bson.json_util
import pymongo

# Field names of each type's unit key, in the order in which Pulp's models declare them.
UNIT_KEYS = {
    "rpm": ("name", "epoch", "version", "release", "arch", "checksumtype", "checksum"),
    "srpm": ("name", "epoch", "version", "release", "arch", "checksumtype", "checksum"),
    "drpm": ("epoch", "version", "release", "filename", "checksumtype", "checksum"),
    "distribution": ("distribution_id", "family", "variant", "version", "arch"),
    "iso": ("name", "checksum", "size"),
}


def setup(db, **_):
    """Pulp's own indexes, which it creates when it starts."""
    db.lazy_content_catalog.create_index(
        [("path", pymongo.DESCENDING), ("importer_id", pymongo.DESCENDING), ("revision", pymongo.DESCENDING)],
        unique=True,
    )
    db.lazy_content_catalog.create_index([("importer_id", pymongo.ASCENDING)])
    db.deferred_download.create_index(
        [("unit_id", pymongo.ASCENDING), ("unit_type_id", pymongo.ASCENDING)], unique=True
    )
    for field in ("source_id", "locator"):
        db.content_catalog.create_index([(field, pymongo.ASCENDING)])


def drop(db, **_):
    db.client.drop_database(db.name)


def importer(db, repo, config, type="yum_importer", **_):
    document = {
        "_id": bson.ObjectId(),
        "_ns": "repo_importers",
        "repo_id": repo,
        "importer_type_id": type,
        "config": config,
        "scratchpad": None,
        "last_sync": None,
    }
    db.repo_importers.insert_one(document)
    return str(document["_id"])


def change_importer(db, id, set, **_):
    db.repo_importers.update_one({"_id": bson.ObjectId(id)}, {"$set": {"config." + key: set[key] for key in set}})


def unit(db, type, key, **_):
    """A unit has the fields of its key, and others by its type."""
    assert set(key) == set(UNIT_KEYS[type]), "a unit key of %s has the fields %s" % (type, ", ".join(UNIT_KEYS[type]))
    document = dict(key, _id=str(uuid.uuid4()), _ns="units_" + type, _content_type_id=type, downloaded=False)
    db["units_" + type].insert_one(document)
    return document["_id"]


def unit_of(db, type, id, **_):
    """A unit of which the id is all that counts."""
    fields = {"_ns": "units_" + type, "_content_type_id": type}
    db["units_" + type].update_one({"_id": id}, {"$setOnInsert": fields}, upsert=True)


def shaped(db, collection, document, **_):
    """A document in MongoDB's extended JSON, for what JSON cannot say: longs, doubles, binaries."""
    db[collection].insert_one(bson.json_util.loads(json.dumps(dict(document, _ns=collection))))


def storage_path(db, type, key, file, root="/var/lib/pulp", **_):
    digest = hashlib.sha256("".join(name + str(key[name]) for name in sorted(key)).encode()).hexdigest()
    return "%s/content/units/%s/%s/%s/%s" % (root, type, digest[:2], digest[2:], file)


def entry(db, path, importer_id, unit_id, unit_type_id, url, revision=1, checksum=None, algorithm=None, data=None, **_):
    document = {
        "_id": bson.ObjectId(),
        "_ns": "lazy_content_catalog",
        "path": path,
        "importer_id": importer_id,
        "unit_id": unit_id,
        "unit_type_id": unit_type_id,
        "url": url,
        "revision": revision,
        "data": data or {},
    }
    if checksum is not None:
        document.update(checksum=checksum, checksum_algorithm=algorithm)
    db.lazy_content_catalog.insert_one(document)
    return str(document["_id"])


def entries(db, count, path, url, first=0, **_):
    """Writes many entries at once: `%d` in path and url is their number."""
    importer_id = str(bson.ObjectId())
    for start in range(first, first + count, 5000):
        db.lazy_content_catalog.insert_many(
            {
                "_ns": "lazy_content_catalog",
                "path": path % number,
                "importer_id": importer_id,
                "unit_id": str(uuid.uuid4()),
                "unit_type_id": "rpm",
                "url": url % number,
                "revision": 1,
                "data": {},
            }
            for number in range(start, min(start + 5000, first + count))
        )


def remove_entries(db, path, **_):
    return db.lazy_content_catalog.delete_many({"path": path}).deleted_count


def broken(db, collection, document, **_):
    """Inserts any document, even an invalid one."""
    db[collection].insert_one(dict(document, _ns=collection))


def insert(db, collection, documents, **_):
    """Documents of exactly these types: MongoDB Extended JSON."""
    db[collection].insert_many(bson.json_util.loads(documents))


def update(db, collection, id, change, **_):
    """One document, by its `_id`: id and change are Extended JSON."""
    found = db[collection].update_one({"_id": bson.json_util.loads(id)}, bson.json_util.loads(change))
    assert found.matched_count == 1, "%s has no document %s" % (collection, id)


def locator(db, type, key, **_):
    return hashlib.sha256(json.dumps([type, key], sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def offer(db, source, type, key, url, expiration, **_):
    db.content_catalog.insert_one(
        {
            "_ns": "content_catalog",
            "source_id": source,
            "expiration": expiration,
            "type_id": type,
            "unit_key": key,
            "locator": locator(db, type, key),
            "url": url,
        }
    )


def state(db, **_):
    """The documents and indexes of each collection, to detect changes."""
    return {
        name: {"documents": db[name].count_documents({}), "indexes": sorted(db[name].index_information())}
        for name in sorted(db.list_collection_names())
    }


def dump(db, **_):
    """Everything there is, with its types: documents and definitions of indexes of each collection."""
    found = {
        name: {
            "documents": list(db[name].find({}).sort("_id", pymongo.ASCENDING)),
            "indexes": db[name].index_information(),
        }
        for name in sorted(db.list_collection_names())
    }
    return bson.json_util.dumps(found, json_options=bson.json_util.CANONICAL_JSON_OPTIONS)


# What Pulp's model of a record declares. Its ODM refuses to read a document that has anything else.
RECORD = {"_id": bson.ObjectId, "_ns": str, "unit_id": str, "unit_type_id": str}


def take_records(db, **_):
    """What Pulp's own task does first: it reads the records, removes them, and finds the units and where their files belong."""
    taken = []
    for record in list(db.deferred_download.find()):
        for field in record:
            assert isinstance(record[field], RECORD[field]), "%s is a %s" % (field, type(record[field]))
        assert set(record) == set(RECORD), "a record of %s" % sorted(record)
        db.deferred_download.delete_one({"_id": record["_id"]})
        unit_id, unit_type_id = record["unit_id"], record["unit_type_id"]
        entries = db.lazy_content_catalog.find({"unit_id": unit_id, "unit_type_id": unit_type_id})
        taken.append(
            {
                "unit_id": unit_id,
                "unit_type_id": unit_type_id,
                "found": db["units_" + unit_type_id].count_documents({"_id": unit_id}) == 1,
                "paths": sorted(set(entry["path"] for entry in entries)),
            }
        )
    return taken


ACTIONS = {
    function.__name__: function
    for function in (
        setup,
        drop,
        importer,
        change_importer,
        unit,
        unit_of,
        shaped,
        storage_path,
        entry,
        entries,
        remove_entries,
        broken,
        insert,
        locator,
        update,
        offer,
        state,
        dump,
        take_records,
    )
}


def main(url, name):
    db = pymongo.MongoClient(url, serverSelectionTimeoutMS=20000)[name]
    for line in sys.stdin:
        try:
            request = json.loads(line)
            answer = {"ok": ACTIONS[request.pop("do")](db, **request)}
        except Exception as error:
            answer = {"error": "%s: %s" % (type(error).__name__, error)}
        print(json.dumps(answer), flush=True)


main(*sys.argv[1:])
