"""A SensorThings server in a process of its own, to be killed: prints its port and serves."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from tests.sensing import DAY, who

from ecotone.serve.sta.routes import router
from ecotone.share.sensorthings import Sensing
from ecotone.store import open_node


def main(folder: str) -> None:
    sensing = Sensing(open_node(Path(folder)), lambda: DAY)
    app = FastAPI()
    app.include_router(router(lambda request: sensing, who))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)

    def tell() -> None:
        while not server.started:
            time.sleep(0.01)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)

    threading.Thread(target=tell, daemon=True).start()
    server.run()


if __name__ == "__main__":
    main(sys.argv[1])
