import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { isPaused } from '../live/effects.ts';
import { isTaken } from '../page/keys.ts';
import { nextTheme } from '../theme/theme.ts';
import { usePlaces } from './use-places.ts';

const secondsForSecondKey = 1.5;

/**
 * The keys of every page: Ctrl+K, `?`, `l` to pause live updates, `t` for another theme, and `g` with the key of a page.
 * @param onFind opens the palette
 * @param onHelp shows all keys
 */
export function useShortcuts(onFind: () => void, onHelp: () => void): void {
  const navigate = useNavigate();
  const places = usePlaces();
  useEffect(() => {
    let goesUntil = 0;
    const listen = (event: KeyboardEvent) => {
      const { key } = event;
      const isCommand = event.ctrlKey || event.metaKey;
      const place = event.timeStamp < goesUntil ? places.find((one) => one.key === key) : undefined;
      goesUntil = 0;
      if (isCommand && key === 'k') onFind();
      else if (isCommand || event.altKey || isTaken(event)) return;
      else if (place) void navigate({ to: place.path });
      else if (key === '?') onHelp();
      else if (key === 'l') isPaused.set(!isPaused.get());
      else if (key === 't') nextTheme();
      else if (key === 'g') goesUntil = event.timeStamp + secondsForSecondKey * 1000;
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    // Comes before the element with the focus, which may have a meaning of its own for the second key.
    document.addEventListener('keydown', listen, { capture: true });
    return () => document.removeEventListener('keydown', listen, { capture: true });
  }, [navigate, onFind, onHelp, places]);
}
