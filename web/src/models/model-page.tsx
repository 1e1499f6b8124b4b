import { toId, type Schemas } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Field } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { modelQuery } from '../queues/queries.ts';
import { ChangeModel } from './change.tsx';
import { Danger } from './danger.tsx';
import { m } from './messages.ts';
import { formerQuery } from './queries.ts';
import { QueuesOf } from './queues-of.tsx';
import css from './models.module.css';

export { loadModel as load } from './queries.ts';

type Model = Schemas['WorkItemModel'];
type Attribute = Schemas['WorkItemAttribute'];

/** A model: its attributes, queues, former versions and changes. */
export function Page() {
  const { id } = useParams({ from: '/frame/workitemmodels/$id' });
  const { data: model } = useSuspenseQuery(modelQuery(toId(id)));
  const [isChanging, setChanging] = useState(false);
  const [applied, setApplied] = useState('');
  useTitle(model.name ?? id, m.models.title);
  const close = (version?: number) => {
    setChanging(false);
    setApplied(version === undefined ? '' : m.models.applied(version));
  };
  const mayChange = model.capabilities?.includes('edit') === true;
  return (
    <div className="page">
      <nav aria-label={m.common.breadcrumb}>
        <Link to="/workitemmodels">{m.models.title}</Link> /
      </nav>
      <h1>
        <Text>{model.name ?? id}</Text>
      </h1>
      <p className="soft">
        {m.models.version} {model.version} {model.archived && `· ${m.models.archived} `}· {m.models.queues}:{' '}
        <QueuesOf model={model} />
      </p>
      <p role="status">{applied}</p>
      {isChanging ? (
        <ChangeModel model={model} onClose={close} />
      ) : (
        <>
          <Attributes model={model} />
          <Button className="primary" isDisabled={!mayChange} onPress={() => setChanging(true)}>
            {m.models.change}
          </Button>{' '}
          {!mayChange && <small className="soft">{m.models.mayNot}</small>}
          <Danger model={model} mayChange={mayChange} />
        </>
      )}
    </div>
  );
}

/** The current attributes, and those of a former version beside them. */
function Attributes({ model }: { readonly model: Model }) {
  const { id = 0, version = 0, attributes = [] } = model;
  const [beside, setBeside] = useState<number>();
  const { data: former } = useQuery({ ...formerQuery(id, beside ?? 0), enabled: beside !== undefined });
  const versions = Array.from({ length: Math.min(version, 100) }, (_, index) => version - 1 - index);
  return (
    <>
      {versions.length > 0 && (
        <Field label={m.models.beside}>
          {(field) => (
            <select
              id={field}
              value={beside ?? ''}
              onChange={({ target }) => setBeside(target.value === '' ? undefined : Number(target.value))}
            >
              <option value="">{m.models.noneBeside}</option>
              {versions.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <div className={css.scroll}>
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">{m.models.attribute}</th>
              <th scope="col">{m.models.type}</th>
              <th scope="col">{m.models.required}</th>
              <th scope="col">{m.models.sensitive}</th>
              <th scope="col">{m.models.formerly}</th>
              {beside !== undefined && <th scope="col">{m.models.inVersion(beside)}</th>}
            </tr>
          </thead>
          <tbody>
            {attributes.map((attribute) => (
              <tr key={attribute.name}>
                <Cells attribute={attribute} />
                {beside !== undefined && <td>{besideOf(attribute, former?.attributes)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Cells({ attribute }: { readonly attribute: Attribute }) {
  const { name = '', type = 'TEXT', isRequired, sensitivity = 'NONE' } = attribute;
  return (
    <>
      <th scope="row">
        <Text>{name}</Text>
      </th>
      <td>{m.models.types[type]}</td>
      <td>{isRequired === false ? m.models.optional : m.models.required}</td>
      <td>{m.models.sensitivities[sensitivity]}</td>
      <td className="soft">{formerOf(attribute)}</td>
    </>
  );
}

function formerOf({ formerNames = [] }: Attribute): string {
  return formerNames
    .map(({ name, until }) => (name === undefined ? m.models.absent(until) : m.models.former(name, until)))
    .join(', ');
}

function besideOf({ id }: Attribute, former: readonly Attribute[] | undefined): string {
  const then = former?.find((one) => String(one.id) === String(id));
  if (!then) return former ? m.models.missing : '';
  const need = then.isRequired === false ? m.models.optional : m.models.required;
  return `${then.name ?? ''}, ${m.models.types[then.type ?? 'TEXT']}, ${need}`;
}
