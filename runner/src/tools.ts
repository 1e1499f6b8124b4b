import type { Emit } from './events.ts';
import { noteProgress, passPointOfNoReturn, type Heartbeats } from './heartbeats.ts';
import type { Work } from './item.ts';
import { addLog, type Lease } from './leases.ts';
import { cleanText } from './report.ts';

/** The tools of the handler of an item. */
export function toolsFor(heartbeats: Heartbeats, lease: Lease, emit: Emit): Work {
  const { id } = lease.item;
  return {
    signal: lease.controller.signal,
    log: (text) => {
      addLog(lease, text);
      emit({ type: 'log', id, text });
    },
    progress: async (percent, text) => {
      emit({ type: 'progress', id, percent, text });
      const share = Number.isNaN(percent) ? 0 : Math.min(100, Math.max(0, percent));
      await noteProgress(heartbeats, lease, {
        percent: share,
        ...(text !== undefined && { text: cleanText(text, 1000) }),
      });
    },
    pointOfNoReturn: () => passPointOfNoReturn(heartbeats, lease),
    tag: (...tags) => void lease.tags.push(...tags),
    resultText: (text) => {
      lease.resultText = text;
    },
  };
}
