import { Places } from '../engine/places.ts';
import type { Notifier } from '../engine/notifier.ts';
import type { FromProcess, Shared, ToProcess } from './messages.ts';

/** A process, as seen from the exchange. */
export interface Member {
  readonly tell: (message: ToProcess) => void;
}

/** The messages and shared resources of a server's processes: wake-ups, requests, and scarce places. */
export class Exchange {
  readonly #places = new Places();
  /** The places held by each process, by its call. */
  readonly #members = new Map<Member, Map<number, () => void>>();
  /** Carries wake-ups to other servers. */
  notifier: Pick<Notifier, 'notify'> | undefined;

  join(member: Member): void {
    this.#members.set(member, new Map());
  }

  /** Releases the places of a process that has ended. */
  leave(member: Member): void {
    for (const release of this.#members.get(member)?.values() ?? []) release();
    this.#members.delete(member);
  }

  /** @param from undefined for a message from another server */
  tellOthers(from: Member | undefined, message: ToProcess): void {
    for (const member of this.#members.keys()) if (member !== from) member.tell(message);
  }

  share(from: Member, message: Shared): void {
    this.tellOthers(from, message);
    if (message.kind === 'wake')
      for (const [name, items] of message.wakeUps) this.notifier?.notify(name, items);
  }

  take(from: Member, { call, of, holder }: Extract<FromProcess, { kind: 'take' }>): void {
    const place = this.#places.take(of, holder);
    if (!place.full) this.#members.get(from)?.set(call, place.release);
    from.tell({ kind: 'taken', call, full: place.full ? place : undefined });
  }

  release(from: Member, call: number): void {
    const places = this.#members.get(from);
    places?.get(call)?.();
    places?.delete(call);
  }
}
