import { toId } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { Way } from '../why/way.tsx';
import { AutomationActions } from './actions.tsx';
import { m } from './messages.ts';
import { automationQuery, queuesQuery, type Automation } from './queries.ts';
import { RunAs, State } from './table.tsx';

export { loadAutomation as load } from './queries.ts';

/** One automation: the way of its items, with the place where it stops, and how it is set. */
export function Page() {
  const { id } = useParams({ from: '/frame/automations/$id' });
  const { data: automation } = useSuspenseQuery(automationQuery(toId(id)));
  const { data: queues } = useSuspenseQuery(queuesQuery());
  const navigate = useNavigate();
  const { name, description, queueId } = automation;
  const queue = queues.list.find((one) => one.id === queueId);
  useTitle(name, m.automations.title);
  return (
    <article className="page">
      <nav aria-label={m.common.breadcrumb}>
        <Link to="/automations">{m.automations.title}</Link> /
      </nav>
      <h1>
        <Text>{name}</Text>
      </h1>
      <p>
        <State automation={automation} />
      </p>
      {description !== '' && (
        <p className="soft">
          <Text>{description}</Text>
        </p>
      )}
      <Way queue={{ id: queueId, name: queue?.name }} automation={automation} />
      <Facts automation={automation} />
      <AutomationActions automation={automation} leave={() => navigate({ to: '/automations' })} />
    </article>
  );
}

function Facts({ automation }: { readonly automation: Automation }) {
  const { labels, priority, weight } = automation;
  return (
    <dl className="fields">
      {labels.length > 0 && (
        <div>
          <dt>{m.automations.labelsOf}</dt>
          <dd>
            <Text>{labels.join(', ')}</Text>
          </dd>
        </div>
      )}
      <div>
        <dt>{m.automations.runAs}</dt>
        <dd>
          <RunAs automation={automation} />
        </dd>
      </div>
      <div>
        <dt>{m.automations.priorityOf}</dt>
        <dd>{priority}</dd>
      </div>
      <div>
        <dt>{m.automations.weightOf}</dt>
        <dd>{weight}</dd>
      </div>
    </dl>
  );
}
