"""All kinds of faults."""
from . import command_faults, network_faults, process_faults, resource_faults
from .fault import Fault

KINDS = [
    each
    for module in (process_faults, network_faults, command_faults, resource_faults)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, Fault) and each.name
]
