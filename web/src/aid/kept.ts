/** What a desk keeps on this device: its lease and its journal, in IndexedDB. Every write is on disk before it is told. */

export interface Listed {
  claim: number;
  mark: string;
  left: Record<string, number>;
  visits?: number;
}

export interface Lease {
  ledger: string;
  lease: string;
  site: string;
  time_zone: string;
  desk: string;
  programme: string;
  period: string;
  since: string;
  until: string;
  salt: string;
  units: Record<string, Record<string, number>>;
  rules: Record<string, [number, number][]>;
  stock: { lot: string; item: string; quantity: number; use_by?: string }[];
  claims: Listed[];
}

export interface Entry {
  id: string;
  lease: string;
  moment: string;
  by: string;
  mark: string;
  claim?: number;
  card?: string;
  size?: number;
  lots: { lot: string; quantity: number }[];
  beyond?: { item: string; quantity: number }[];
  proof: "tap" | "pin" | "witness";
  witness?: string;
}

/** Somebody who may be a witness at this desk: the password is kept as PBKDF2 of it, and goes with the lease. */
export interface Witness {
  staff: string;
  salt: string;
  hash: string;
}

export interface Line {
  id: string;
  number: number;
  entry: Entry;
  state: "waiting" | "kept" | "refused";
  why?: string;
}

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("nearer-desk", 2);
    asked.onupgradeneeded = (event) => {
      if (event.oldVersion < 1) {
        asked.result.createObjectStore("lease");
        asked.result.createObjectStore("journal", { keyPath: "id" });
      }
      asked.result.createObjectStore("witnesses", { keyPath: "staff" });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

/** All stores in one transaction: done, on disk, when the promise is; undone where `work` throws. */
async function within<T>(mode: IDBTransactionMode, work: (lease: IDBObjectStore, journal: IDBObjectStore, give: (value: T) => void, witnesses: IDBObjectStore) => void): Promise<T> {
  const db = await database();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(["lease", "journal", "witnesses"], mode, { durability: "strict" });
    let found: T;
    let failed: unknown;
    transaction.oncomplete = () => resolve(found);
    transaction.onabort = () => reject(failed ?? transaction.error);
    try {
      work(transaction.objectStore("lease"), transaction.objectStore("journal"), (value) => (found = value), transaction.objectStore("witnesses"));
    } catch (error) {
      failed = error;
      transaction.abort();
    }
  });
}

/** The lease that this device has; null where it has none. */
export const leaseHere = (): Promise<Lease | null> =>
  within("readonly", (lease, _, give) => {
    const asked = lease.get("one");
    asked.onsuccess = () => give((asked.result as Lease | undefined) ?? null);
  });

/** Every entry, in the order of writing. */
export const journalHere = (): Promise<Line[]> =>
  within("readonly", (_, journal, give) => {
    const asked = journal.getAll();
    asked.onsuccess = () => give((asked.result as Line[]).sort((a, b) => a.number - b.number));
  });

/** Keep a lease; where there is one already it is left as it is. */
export const keepLease = (found: Lease): Promise<void> => within("readwrite", (lease) => void lease.add(found, "one"));

/** Write what `make` makes of the journal as it stands, in one step, so that two windows cannot give the same twice. */
export const write = (make: (lines: Line[], lease: Lease) => Entry): Promise<Entry> =>
  within("readwrite", (leases, journal, give) => {
    const asked = journal.getAll();
    const whose = leases.get("one");
    whose.onsuccess = () => {
      const lines = asked.result as Line[];
      try {
        const entry = make(lines, whose.result as Lease);
        journal.add({ id: entry.id, number: lines.length + 1, entry, state: "waiting" } satisfies Line);
        give(entry);
      } catch (error) {
        thrown = error;
        whose.transaction?.abort();
      }
    };
  }).catch((error: unknown) => {
    const own = thrown;
    thrown = null;
    throw own ?? error;
  }) as Promise<Entry>;
let thrown: unknown = null;

/** Take down what the ledger said of entries. */
export const confirmed = (kept: { id: string }[], refused: { id: string; why: string }[]): Promise<void> =>
  within("readwrite", (_, journal) => {
    const put = (id: string, change: Partial<Line>, over: boolean): void => {
      const asked = journal.get(id);
      asked.onsuccess = () => {
        const line = asked.result as Line | undefined;
        if (!line || (!over && line.state === "kept")) return;
        const { card: _, ...without } = line.entry; // the ledger knows the household now: its card's hash goes
        journal.put({ ...line, ...(change.state === "kept" ? { entry: without } : {}), ...change });
      };
    };
    for (const row of kept) put(row.id, { state: "kept" }, true);
    for (const row of refused) put(row.id, { state: "refused", why: row.why }, false);
  });

/** Erase the list of households and the witnesses, once the lease's time is over. */
export const forgetList = (): Promise<void> =>
  within("readwrite", (lease, _journal, _give, witnesses) => {
    witnesses.clear();
    const asked = lease.get("one");
    asked.onsuccess = () => {
      const found = asked.result as Lease | undefined;
      if (found?.claims.length) lease.put({ ...found, claims: [] }, "one");
    };
  });

/** Take down a witness of this desk; only together with a lease, which they go with. */
export const keepWitness = (found: Witness): Promise<void> =>
  within("readwrite", (lease, _journal, _give, witnesses) => {
    const asked = lease.count("one");
    asked.onsuccess = () => {
      if (asked.result) witnesses.put(found);
    };
  });

/** Who may be a witness at this desk. */
export const witnessesHere = (): Promise<Witness[]> =>
  within("readonly", (_lease, _journal, give, witnesses) => {
    const asked = witnesses.getAll();
    asked.onsuccess = () => give(asked.result as Witness[]);
  });

/** Erase everything, if the ledger has every entry. */
export const forget = (): Promise<boolean> =>
  within("readwrite", (lease, journal, give, witnesses) => {
    const asked = journal.getAll();
    asked.onsuccess = () => {
      const all = (asked.result as Line[]).every((line) => line.state === "kept");
      if (all) {
        lease.clear();
        journal.clear();
        witnesses.clear();
      }
      give(all);
    };
  });
