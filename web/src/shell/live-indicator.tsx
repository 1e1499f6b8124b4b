import { CircleDot, CirclePause, CloudOff, RefreshCw } from 'lucide-react';
import { Button } from 'react-aria-components';
import { awaySince } from '../connection/reach.ts';
import { isPaused, liveState } from '../live/effects.ts';
import { useStore } from '../store/store.ts';
import { m } from './messages.ts';
import css from './shell.module.css';

const icons = { live: CircleDot, paused: CirclePause, reconnecting: RefreshCw, offline: CloudOff };

/** Whether the screen follows events; pressed, it pauses or goes on. */
export function LiveIndicator() {
  const isAway = useStore(awaySince) !== undefined;
  const stream = useStore(liveState);
  const isStill = useStore(isPaused);
  const state = isAway ? 'offline' : isStill ? 'paused' : stream === 'live' ? 'live' : 'reconnecting';
  const Icon = icons[state];
  return (
    <Button
      className={css.live}
      data-state={state}
      aria-label={m.shell.live(m.shell.liveStates[state], isStill)}
      onPress={() => isPaused.set(!isStill)}
    >
      <Icon size={14} aria-hidden="true" />
      <span>{m.shell.liveStates[state]}</span>
    </Button>
  );
}
