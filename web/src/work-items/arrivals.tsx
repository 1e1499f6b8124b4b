import { Button } from 'react-aria-components';
import type { Waiting } from './live-rules.ts';
import { m } from './messages.ts';
import css from './work-items.module.css';

interface Props {
  readonly waiting: Waiting;
  readonly onShow: () => void;
}

/** Says that rows wait to come or to go; the list moves only on request. */
export function Arrivals({ waiting: { come, gone, isMany }, onShow }: Props) {
  if (!isMany && come.size + gone.size === 0) return undefined;
  return (
    <Button className={css.arrivals} onPress={onShow}>
      {isMany ? m.items.manyChanged : m.items.changed(come.size, gone.size)}
    </Button>
  );
}
