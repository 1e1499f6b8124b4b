import type { Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Bookmark } from 'lucide-react';
import { useState } from 'react';
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from 'react-aria-components';
import { Over } from '../dialogs/ask.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Text } from '../page/text.tsx';
import { RemoveForm, RenameForm, SaveForm } from './forms.tsx';
import { m } from './messages.ts';
import { changeOf, viewsQuery, type View } from './queries.ts';
import { addressOf, isChanged, type Shown } from './rules.ts';
import css from './views.module.css';

interface Props {
  readonly queueId: Id;
  /** The id of the picked view. */
  readonly view: string | undefined;
  readonly shown: Shown;
  readonly onPick: (address: ReturnType<typeof addressOf>) => void;
}

type Asked = 'save' | 'rename' | 'remove' | undefined;

/** The saved views of a list: pick one, or save what is shown. */
export function ViewsMenu({ queueId, view: id, shown, onPick }: Props) {
  const { data } = useQuery(viewsQuery(queueId));
  const [asked, setAsked] = useState<Asked>();
  const [problem, setProblem] = useState('');
  const close = () => setAsked(undefined);
  const views = data?.list ?? [];
  const view = views.find((one) => String(one.id) === id);
  const pick = (picked: View) => onPick(addressOf(String(picked.id), picked));
  const label = view ? m.views.view(view.name, isChanged(view, shown)) : m.views.views;
  const keep = (kept: View) =>
    carryOut([changeOf(kept, { ...shown, columns: [...shown.columns] })]).then(
      () => setProblem(''),
      (error: Error) => setProblem(error.message),
    );
  const isGone = id !== undefined && data !== undefined && !view;
  return (
    <>
      <MenuTrigger>
        <Button className={`quiet ${css.views ?? ''}`}>
          <Bookmark size={14} aria-hidden="true" /> <Text>{label}</Text>
        </Button>
        <Popover className="popover" placement="bottom end">
          <Menu className="menu" aria-label={m.views.views}>
            <Picks title={m.views.own} views={views.filter(({ shared }) => !shared)} onPick={pick} />
            <Picks title={m.views.shared} views={views.filter(({ shared }) => shared)} onPick={pick} />
            <Acts view={view} shown={shown} onAsk={setAsked} onKeep={keep} />
          </Menu>
        </Popover>
      </MenuTrigger>
      <span role="alert" className="problem">
        {problem || (isGone && m.views.gone)}
      </span>
      <Over isOpen={asked === 'save'} onClose={close}>
        <SaveForm queueId={queueId} shown={shown} onSaved={pick} onDone={close} />
      </Over>
      {view && (
        <>
          <Over isOpen={asked === 'rename'} onClose={close}>
            <RenameForm view={view} onDone={close} />
          </Over>
          <Over isOpen={asked === 'remove'} onClose={close}>
            <RemoveForm
              view={view}
              onCancel={close}
              onDone={() => {
                close();
                onPick(addressOf(undefined, shown));
              }}
            />
          </Over>
        </>
      )}
    </>
  );
}

interface PicksProps {
  readonly title: string;
  readonly views: readonly View[];
  readonly onPick: (view: View) => void;
}

function Picks({ title, views, onPick }: PicksProps) {
  if (views.length === 0) return undefined;
  return (
    <MenuSection>
      <Header className={css.title}>{title}</Header>
      {views.map((view) => (
        <MenuItem key={String(view.id)} textValue={view.name} onAction={() => onPick(view)}>
          <span className={css.name}>
            <Text>{view.name}</Text>
          </span>
          {!view.own && (
            <small>
              <Text>{m.views.by(view.createdByName ?? '')}</Text>
            </small>
          )}
        </MenuItem>
      ))}
    </MenuSection>
  );
}

interface ActsProps {
  readonly view: View | undefined;
  readonly shown: Shown;
  readonly onAsk: (asked: Asked) => void;
  readonly onKeep: (view: View) => Promise<void>;
}

function Acts({ view, shown, onAsk, onKeep }: ActsProps) {
  return (
    <MenuSection>
      <Header className={css.title}>{m.views.act}</Header>
      <MenuItem onAction={() => onAsk('save')}>{m.views.save}</MenuItem>
      {view?.mayChange && isChanged(view, shown) && (
        <MenuItem onAction={() => void onKeep(view)} textValue={m.views.update(view.name)}>
          <Text>{m.views.update(view.name)}</Text>
        </MenuItem>
      )}
      {view?.mayChange && <MenuItem onAction={() => onAsk('rename')}>{m.views.rename}</MenuItem>}
      {view?.mayChange && <MenuItem onAction={() => onAsk('remove')}>{m.views.remove}</MenuItem>}
    </MenuSection>
  );
}
