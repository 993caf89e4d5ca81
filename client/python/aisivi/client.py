"""The connection to a server: what it has, and new fits."""
from __future__ import annotations

import csv
import io
import os
import threading
import uuid
import weakref
from functools import partial
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

import numpy as np

from aisivi import _api
from aisivi._serving import Served, Serving, read_response
from aisivi._settings import build_fit
from aisivi._transport import Transport, connect
from aisivi.density import Density
from aisivi.errors import wrong_field
from aisivi.fit import Fit
from aisivi.results import Dataset, TargetInfo, dataset_of, target_info_of
from aisivi.stan import Stan

_DEFAULT_ADDRESS = "127.0.0.1:50051"
_CHUNK_BYTES = 1 << 20
_LARGEST_PAGE = 1000
_COMPILE_TIMEOUT = 300  # seconds; a Stan program takes the compiler ten to twenty, and its turn


class Client:
    """A server, by its address HOST:PORT; default $AISIVI_SERVER, else 127.0.0.1:50051.

    Connects when first used. `timeout` is for how many seconds a call waits for an answer that
    should be quick; every method takes one of its own. Threads may share a client.
    """

    def __init__(
        self, address: str | None = None, *, timeout: float = 60, channel: Any = None
    ) -> None:
        """`channel`: a grpc.Channel to use instead of an address, for instance with TLS."""
        address = address or os.environ.get("AISIVI_SERVER") or _DEFAULT_ADDRESS
        self._transport = Transport(connect(address) if channel is None else channel)
        self._timeout = timeout
        # By thread and density: those that fits hold.
        self._served: weakref.WeakValueDictionary[tuple[int, Density], Served] = (
            weakref.WeakValueDictionary()
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; fits go on, but those of densities that it serves."""
        for served in list(self._served.values()):
            served.serving.close()
        self._transport.close()

    def fit(
        self,
        target: str | Stan | Density,
        data: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        **settings: Any,
    ) -> Fit:
        """Starts a fit and returns it at once.

        target    a built-in target: `targets` lists them with their parameters; a program,
                  Stan("model.stan"); or a function of one's own, made a target by `density`
        data      its parameters by name: numbers, vectors (N), matrices (N×D), lists of matrices;
                  of a Stan program its data: numbers and arrays of them
        settings  dataset (a name or what `upload_dataset` returned), response, predictors,
                  intercept; seed, preset, method, display_name, labels, expire_time (a datetime
                  with a time zone); and every setting of settings.proto by its name: enums as
                  texts in lower case, time_limit in seconds. None: not set.

        InvalidArgumentError names the fields that are wrong, in `violations`: for a Stan program
        with what the compiler says.

        A density is tested and then evaluated on this thread, while it waits for the fit: call
        `wait` or `watch` here and soon, since a batch that is not answered in its `deadline` is
        given up, and after its `patience` the fit with it. It is served for as long as a Fit of it
        is held.
        """
        if isinstance(target, Density) and data is not None:
            raise wrong_field("fit.target", "a density takes no data: its function has them")
        if isinstance(target, Stan) and timeout is None:
            timeout = max(self._timeout, _COMPILE_TIMEOUT)
        fit = build_fit("remote" if isinstance(target, Density) else target, data, settings)
        served = None
        if isinstance(target, Density):
            # After the settings, since the tests of a density may take long.
            served = self._serve(target, timeout)
            fit.target.remote.density = served.serving.name
        request = _api.message(
            "CreateFitRequest",
            fit=fit,
            # A request that the transport repeats creates one fit.
            request_id=str(uuid.uuid4()),
        )
        created = self._unary("FitService", "CreateFit", request, timeout)
        return Fit(self._transport, created, self._timeout, served)

    def open_density(
        self, density: Density, name: str = "", patience: float | None = None,
        timeout: float | None = None,
    ) -> Serving:
        """Offers a density, which this thread answers for in whatever it then waits for here.

        For `serve`, which says what the arguments are.
        """
        connect = partial(
            self._transport.exchange, "DensityService", "ServeDensity", read_response
        )
        serving = Serving(self._transport.desk(), connect, density, name, patience)
        serving.open(self._timeout if timeout is None else timeout)
        return serving

    def _serve(self, density: Density, timeout: float | None) -> Served:
        key = (threading.get_ident(), density)
        served = self._served.get(key)
        if served is None or served.serving.ended is not None:
            served = Served(self.open_density(density, timeout=timeout))
            self._served[key] = served
        return served

    def get_fit(self, name: str, timeout: float | None = None) -> Fit:
        """The fit "fits/{id}"; NotFoundError when there is none."""
        request = _api.message("GetFitRequest", name=name)
        found = self._unary("FitService", "GetFit", request, timeout)
        return Fit(self._transport, found, self._timeout)

    def fits(
        self, filter: str = "", limit: int | None = None, timeout: float | None = None
    ) -> list[Fit]:
        """The newest `limit` fits (None: all) that pass the filter, the newest first.

        filter: comparisons joined by AND, for instance "state=RUNNING AND labels.owner=ann". They
        come without coordinate names and criteria; `refresh` gets them.
        """
        request = _api.message("ListFitsRequest", filter=filter, page_size=_LARGEST_PAGE)
        found = self._pages("FitService", "ListFits", request, "fits", limit, timeout)
        return [Fit(self._transport, message, self._timeout) for message in found]

    def targets(self, timeout: float | None = None) -> list[TargetInfo]:
        """What can be fitted."""
        request = _api.message("ListTargetsRequest")
        found = self._pages("TargetService", "ListTargets", request, "targets", None, timeout)
        return [target_info_of(message) for message in found]

    def upload_dataset(
        self,
        data: Any,
        columns: Sequence[str] | None = None,
        display_name: str = "",
        timeout: float | None = None,
    ) -> Dataset:
        """Stores a table for any number of fits; the same bytes again are the same data set.

        data     the path of a CSV file (dataset_service.proto says which form), a pandas.DataFrame,
                 or an N×P array with its P names in `columns`

        InvalidArgumentError tells line and column of a cell that is no number.
        """
        content = _csv_bytes(data, columns)
        requests = _upload(content, display_name)
        limit = self._timeout if timeout is None else timeout
        stored = self._transport.upload("DatasetService", "UploadDataset", requests, limit)
        return dataset_of(stored)

    def _unary(self, service: str, method: str, request: Any, timeout: float | None) -> Any:
        limit = self._timeout if timeout is None else timeout
        return self._transport.unary(service, method, request, limit)

    def _pages(
        self, service: str, method: str, request: Any, field: str, limit: int | None,
        timeout: float | None,
    ) -> list[Any]:
        found: list[Any] = []
        while limit is None or len(found) < limit:
            page = self._unary(service, method, request, timeout)
            found += getattr(page, field)
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        return found[:limit]


def _csv_bytes(data: Any, columns: Sequence[str] | None) -> bytes:
    if isinstance(data, (str, os.PathLike)):
        if columns is not None:
            raise ValueError("columns: a file names its own")
        return Path(data).read_bytes()
    names = list(getattr(data, "columns", ())) if columns is None else list(columns)
    table = np.asarray(data, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"data: is not a matrix: it has the shape {table.shape}")
    if len(names) != table.shape[1]:
        raise ValueError(f"columns: {len(names)} names for {table.shape[1]} columns")
    out = io.StringIO()
    # Names between quotation marks, so that one that looks like a number is still a name.
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(map(str, names))
    csv.writer(out, lineterminator="\n").writerows(map(_cells, table.tolist()))
    return out.getvalue().encode()


def _cells(row: list[float]) -> list[str]:
    """The shortest texts that read back as the same numbers."""
    return [repr(int(x)) if x.is_integer() and abs(x) <= 2**53 else repr(x) for x in row]


def _upload(content: bytes, display_name: str) -> Iterator[Any]:
    kind = "UploadDatasetRequest"
    first = _api.message(kind)
    first.metadata.display_name = display_name
    first.metadata.size_bytes = len(content)
    yield first
    for offset in range(0, len(content), _CHUNK_BYTES):
        request = _api.message(kind)
        request.chunk.offset = offset
        request.chunk.data = content[offset : offset + _CHUNK_BYTES]
        yield request
