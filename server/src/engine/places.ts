import type { Id } from '@millrace/api';

/** A scarce resource, such as uploads, shared by all processes of a server. */
export interface Kind {
  readonly name: string;
  /** Places of all users together, of one tenant where that is less, and of one user. */
  readonly ofAll: number;
  readonly ofTenant?: number;
  readonly ofUser: number;
}

/** The user who holds a place. */
export interface Holder {
  readonly userId: Id;
  readonly tenantUuid: string;
}

/** A taken place. */
interface Place {
  readonly full?: never;
  /** Gives the place back; once is enough. */
  readonly release: () => void;
}

/** No place was left: the holder of the places that are in the way, and their number. */
export interface Full {
  readonly full: 'user' | 'tenant' | 'all';
  readonly held: number;
}

/** Takes a place. The processes of a server share the places exactly, so that the answer may take a moment. */
export type TakePlace = (kind: Kind, holder: Holder) => Promise<Place | Full>;

/** The places that are held, by the name of their kind. */
export class Places {
  readonly #held = new Map<string, Set<Holder>>();

  take(kind: Kind, holder: Holder): Place | Full {
    const held = this.#held.get(kind.name) ?? new Set();
    const full = decideFull(kind, [...held], holder);
    if (full) return full;
    this.#held.set(kind.name, held);
    // A separate object for each place, as a user may hold several.
    const own = { ...holder };
    held.add(own);
    return { release: () => void held.delete(own) };
  }
}

/** The places of a server with a single process. */
export function ownPlaces(): TakePlace {
  const places = new Places();
  return (kind, holder) => Promise.resolve(places.take(kind, holder));
}

function decideFull(kind: Kind, held: readonly Holder[], { userId, tenantUuid }: Holder): Full | undefined {
  const { ofAll, ofTenant = ofAll, ofUser } = kind;
  const isOf = (id: Id) => (other: Holder) => String(other.userId) === String(id);
  const levels = [
    { full: 'user', most: ofUser, held: held.filter(isOf(userId)).length },
    { full: 'tenant', most: ofTenant, held: held.filter((other) => other.tenantUuid === tenantUuid).length },
    { full: 'all', most: ofAll, held: held.length },
  ] as const;
  const found = levels.find((level) => level.held >= level.most);
  return found && { full: found.full, held: found.held };
}
