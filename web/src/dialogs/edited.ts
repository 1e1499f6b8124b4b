import { ApiError } from '@millrace/api';
import { useState } from 'react';
import type { Request } from '../connection/request.ts';
import { applied, changesBetween, clashing, type Change, type Data, type Lists } from './changes.ts';
import { tryOut } from './queries.ts';

interface Versioned {
  readonly version?: number;
}

interface How<Stored, Draft> {
  /** The part of it that a form shows. */
  readonly draftOf: (stored: Stored) => Draft;
  /** The settings of a draft, by the names that people read; the draft itself when left out. */
  readonly settingsOf?: (draft: Draft) => object;
  /** The sets and orders among the members of a draft, and among its settings. */
  readonly lists?: Lists;
  /** Reads it as it is now. */
  readonly now: (stored: Stored) => Request;
  /** Takes it out of the answer, where that has more. */
  readonly within?: (answer: unknown, stored: Stored) => Stored | undefined;
}

/** Something in a form that others may change meanwhile. */
export interface Edited<Stored, Draft> {
  /** As it was when the draft was begun, or when the changes of others were taken in. */
  readonly base: Stored;
  readonly draft: Draft;
  readonly change: (some: Partial<Draft>) => void;
  /** Puts another draft in its place. */
  readonly replace: (draft: Draft) => void;
  /** Does what saves the draft. Where others were faster, it is told what they did, and that it was refused. */
  readonly save: <Answer>(act: () => Promise<Answer>) => Promise<Answer>;
  /** As others made it, when they were faster. */
  readonly theirs?: Stored;
  /** The changes of others, when they were faster. */
  readonly others: readonly Change[] | undefined;
  /** The names of what one has changed oneself as well. */
  readonly clashes: readonly string[];
  /** Applies one's own changes to what others made of it. */
  readonly takeIn: () => void;
  /** Begins anew with what is stored. */
  readonly begin: (stored: Stored) => void;
}

/**
 * A draft of something stored, which follows it until somebody types, and then stays: what others change is met when it is saved.
 * @param latest as it is known now
 */
export function useEdited<Stored extends Versioned, Draft extends object>(
  latest: Stored,
  how: How<Stored, Draft>,
): Edited<Stored, Draft> {
  const [now, setNow] = useState(() => begun(latest, how));
  const { base } = now;
  const isUntouched = changesIn(now, how).length === 0;
  const isNewer = useIsNews(latest.version) || (latest.version ?? 0) > (base.version ?? 0);
  if (isUntouched && isNewer) setNow(begun(latest, how));
  return {
    ...now,
    ...compared(now, how),
    change: (some) => setNow((one) => ({ ...one, draft: { ...one.draft, ...some } })),
    replace: (next) => setNow((one) => ({ ...one, draft: next })),
    save: async (act) => {
      try {
        return await act();
      } catch (error) {
        if (error instanceof ApiError && error.code === 'VERSION_CONFLICT') {
          const answer = await tryOut(how.now(base));
          const theirs = how.within ? how.within(answer, base) : (answer as Stored);
          if (theirs) setNow((one) => ({ ...one, theirs }));
        }
        throw error;
      }
    },
    takeIn: () => setNow(takenIn(now, how)),
    begin: (stored) => setNow(begun(stored, how)),
  };
}

/** Whether it is known at another version than before; that is not always a later one, as something can be removed and made anew. */
function useIsNews(version: number | undefined): boolean {
  const [known, setKnown] = useState(version);
  if (version !== known) setKnown(version);
  return version !== known;
}

interface State<Stored, Draft> {
  readonly base: Stored;
  readonly draft: Draft;
  /** As it is stored now, when others were faster. */
  readonly theirs?: Stored;
}

function begun<Stored, Draft>(stored: Stored, { draftOf }: How<Stored, Draft>): State<Stored, Draft> {
  return { base: stored, draft: draftOf(stored) };
}

/** The changes of others, and what one has changed oneself as well. */
function compared<Stored, Draft extends object>(
  { base, draft, theirs }: State<Stored, Draft>,
  { draftOf, settingsOf = (one) => one, lists }: How<Stored, Draft>,
): Pick<Edited<Stored, Draft>, 'others' | 'clashes'> {
  if (!theirs) return { others: undefined, clashes: [] };
  const changesTo = (one: Draft) =>
    changesBetween(settingsOf(draftOf(base)) as Data, settingsOf(one) as Data, lists);
  const others = changesTo(draftOf(theirs));
  return { others, clashes: clashing(changesTo(draft), others) };
}

/** One's own changes, by the members of the draft. */
function changesIn<Stored, Draft>(
  { base, draft }: State<Stored, Draft>,
  { draftOf, lists }: How<Stored, Draft>,
): readonly Change[] {
  return changesBetween(draftOf(base) as Data, draft as Data, lists);
}

function takenIn<Stored, Draft>(now: State<Stored, Draft>, how: How<Stored, Draft>): State<Stored, Draft> {
  const { theirs } = now;
  if (!theirs) return now;
  return { base: theirs, draft: applied(changesIn(now, how), how.draftOf(theirs) as Data) as Draft };
}
