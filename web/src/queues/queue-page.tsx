import { toId, type Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { Upload } from 'lucide-react';
import type { DragEvent } from 'react';
import { Button } from 'react-aria-components';
import { Outlook } from '../levels/outlook.tsx';
import { useAction } from '../page/actions.ts';
import { useKey } from '../page/keys.ts';
import { Sentence } from '../page/sentence.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { PauseBanner } from './banner.tsx';
import { CountsBar } from './counts.tsx';
import { dropped } from './dropped.ts';
import { Pace } from './lately.tsx';
import { m } from './messages.ts';
import { PauseButton } from './pause.tsx';
import { queueQuery, statsQuery, whyQuery } from './queries.ts';
import { QueueState } from './state.tsx';
import css from './queues.module.css';
import { QueueTabs, type tabs } from './tabs.tsx';

export { loadQueue as load } from './queries.ts';

/** A queue: its state, and its tabs below. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id' });
  const navigate = useNavigate();
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const { data: stats } = useSuspenseQuery(statsQuery(toId(id)));
  const go = (to: (typeof tabs)[number]['to']) => void navigate({ to, params: { id } });
  useKey('w', () => go('/queues/$id/why'), m.queues.whyAll);
  useAction(m.queues.uploadInto, () => go('/queues/$id/upload'));
  useTitle(queue.name ?? id, m.queues.title);
  // A spreadsheet may be dropped anywhere on a queue.
  const drop = (event: DragEvent) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (!file) return;
    dropped.set(file);
    void navigate({ to: '/queues/$id/upload', params: { id } });
  };
  return (
    <div className={css.queue} onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <header className={css.head}>
        <nav aria-label={m.common.breadcrumb}>
          <Link to="/queues">{m.queues.title}</Link> /
        </nav>
        <h1>
          <Text>{queue.name ?? id}</Text>
        </h1>
        <QueueState queue={queue} isShort />
        <span className="buttons">
          <UploadButton queue={queue} onPress={() => go('/queues/$id/upload')} />
          <PauseButton queue={queue} />
        </span>
        <PauseBanner queue={queue} />
        {queue.status === 'ACTIVE' && <State id={id} />}
        {!queue.archived && <Outlook id={toId(id)} />}
        <CountsBar id={id} stats={stats} />
        <Pace stats={stats} />
        <QueueTabs id={id} />
      </header>
      <Outlet />
    </div>
  );
}

interface UploadProps {
  readonly queue: Schemas['Queue'];
  readonly onPress: () => void;
}

function UploadButton({ queue: { archived, capabilities }, onPress }: UploadProps) {
  if (archived || !capabilities?.includes('add')) return undefined;
  return (
    <Button className="quiet" onPress={onPress}>
      <Upload size={14} aria-hidden="true" /> {m.queues.upload}
    </Button>
  );
}

/** The reason for the state of the queue, in one line, with a link to all of them. */
function State({ id }: { readonly id: string }) {
  const { data: why } = useSuspenseQuery(whyQuery(toId(id)));
  return (
    <p className={css.sentence}>
      <Sentence>{why.sentence}</Sentence>{' '}
      <Link to="/queues/$id/why" params={{ id }}>
        {m.queues.why}
      </Link>
    </p>
  );
}
