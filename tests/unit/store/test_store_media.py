from __future__ import annotations

import hashlib
import json

from ecotone.store import files


def test_media_of_a_folder_stay_where_they_lie(tmp_path):
    node, package = tmp_path / "node", tmp_path / "package"
    (node / "staging").mkdir(parents=True)
    (package / "media").mkdir(parents=True)
    (package / "datapackage.json").write_text("{}", encoding="utf-8")
    photo = b"\xff\xd8 a photo"
    (package / "media" / "Кадр 1.JPG").write_bytes(photo)
    kept = files.keep_folder(node, package)
    assert [name for name, _, _ in kept] == ["datapackage.json", "media.jsonl"]
    (line,) = files.find(node, kept[1][1]).read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "path": "media/Кадр 1.JPG",
        "sha256": hashlib.sha256(photo).hexdigest(),
        "size": len(photo),
    }
    assert not (node / "files" / hashlib.sha256(photo).hexdigest()[:2]).exists()
    assert not list((node / "staging").iterdir())
