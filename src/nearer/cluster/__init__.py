"""Work given to the workers of a Dask cluster, through a folder that all of them share."""

from nearer.cluster.jobs import Answer, Job, fingerprint, read_answer
from nearer.cluster.pool import Batch, Cluster, ClusterError, joined
from nearer.cluster.shelf import Message, Shelf

__all__ = [
    "Answer",
    "Batch",
    "Cluster",
    "ClusterError",
    "Job",
    "Message",
    "Shelf",
    "fingerprint",
    "joined",
    "read_answer",
]
