"""Drives a server through libcloud's CloudSigma 1.0 driver, unmodified, as its users do; prints JSON.

    cloudsigma.py images | create NAME IMAGE | nodes | stop NAME | start NAME | reboot NAME | destroy NAME

CS_BASE names the listener that serves CloudSigma at its root path (the driver knows no path prefix); CS_USER and CS_PASSWORD log in.
"""

import json
import os
import sys
from urllib.parse import urlsplit

from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider


def connect():
    base = urlsplit(os.environ["CS_BASE"])
    return get_driver(Provider.CLOUDSIGMA)(
        os.environ["CS_USER"], os.environ["CS_PASSWORD"], secure=base.scheme == "https",
        host=base.hostname, port=base.port, region="zrh", api_version="1.0",
    )


def show(node):
    return {"id": node.id, "name": node.name, "state": str(node.state), "ips": node.public_ips, "extra": node.extra}


def find(driver, name):
    for node in driver.list_nodes():
        if node.name == name:
            return node
    sys.exit("no server named %s" % name)


def create(driver, name, image_name):
    image = next((i for i in driver.list_images() if i.name == image_name), None)
    if image is None:
        sys.exit("no standard drive named %s" % image_name)
    size = min(driver.list_sizes(), key=lambda s: s.ram)
    return show(driver.create_node(name=name, size=size, image=image, nic_model="virtio"))


COMMANDS = {
    "images": lambda d: [{"id": i.id, "name": i.name, "extra": i.extra} for i in d.list_images()],
    "create": create,
    "nodes": lambda d: [show(n) for n in d.list_nodes()],
    "stop": lambda d, name: d.ex_stop_node(find(d, name)),
    "start": lambda d, name: d.ex_start_node(find(d, name)),
    "reboot": lambda d, name: d.reboot_node(find(d, name)),
    "destroy": lambda d, name: d.ex_destroy_node_and_drives(find(d, name)),
}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](connect(), *sys.argv[2:]), default=str))
