import { Link, useMatchRoute, useNavigate } from '@tanstack/react-router';
import {
  BookOpen,
  ChevronRight,
  Ellipsis,
  EyeOff,
  PanelLeftClose,
  PanelLeftOpen,
  type LucideIcon,
} from 'lucide-react';
import { Fragment } from 'react';
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { usePreferences } from '../preferences/preferences.ts';
import { setPreference } from '../preferences/queries.ts';
import { Doubts, Pinned } from './at-side.tsx';
import { m } from './messages.ts';
import type { Place } from './pages.ts';
import css from './shell.module.css';
import { usePlaces, usePlacesBeyond } from './use-places.ts';
import logo from '../../reference/logo.svg';

/** The number of pages that fit side by side on a phone; the others are behind a button there. */
const shownOnPhones = 4;

interface Props {
  /** Tells why some pages are not there. */
  readonly onHidden: () => void;
}

/** The pages, at the side, with their names or as icons alone; on narrow screens at the bottom. */
export function Rail({ onHidden }: Props) {
  const places = usePlaces();
  const beyond = usePlacesBeyond().length;
  return (
    <nav className={css.rail} aria-label={m.shell.navigation}>
      <img src={logo} alt="Millrace" width="26" height="26" className={css.logo} />
      {places
        .filter(({ isFolded, isOwn }) => !isFolded && !isOwn)
        .map((place, index) => (
          <Fragment key={place.path}>
            <PlaceLink place={place} isWide={index >= shownOnPhones} />
            {place.path === '/queues' && <Pinned />}
          </Fragment>
        ))}
      <Administration places={places.filter(({ isFolded }) => isFolded)} />
      {beyond > 0 && <SideButton icon={EyeOff} label={m.shell.hidden(beyond)} onPress={onHidden} />}
      <a href="/docs" className={css.place} data-last="true" data-wide="true" title={m.shell.reference}>
        <BookOpen size={18} aria-hidden="true" />
        {m.shell.reference}
      </a>
      <Fold />
      <More onHidden={onHidden} />
    </nav>
  );
}

/** Folds the side to icons, or shows the names again; kept for the user, on whatever browser. */
function Fold() {
  const { sideFolded = false } = usePreferences();
  // A choice that the server refuses stays in this browser.
  const turn = () => void setPreference('sideFolded', !sideFolded).catch(() => undefined);
  return (
    <SideButton
      icon={sideFolded ? PanelLeftOpen : PanelLeftClose}
      label={sideFolded ? m.shell.unfold : m.shell.fold}
      onPress={turn}
    />
  );
}

interface SideButtonProps {
  readonly icon: LucideIcon;
  readonly label: string;
  readonly onPress: () => void;
}

/** A button between the pages of wide screens. */
function SideButton({ icon: Icon, label, onPress }: SideButtonProps) {
  return (
    <button
      type="button"
      className={`${css.place ?? ''} ${css.hidden ?? ''}`}
      data-wide="true"
      title={label}
      onClick={onPress}
    >
      <Icon size={18} aria-hidden="true" />
      {label}
    </button>
  );
}

interface PlaceProps {
  readonly place: Place;
  /** Whether it is the one at the side of wide screens. */
  readonly isWide: boolean;
}

function PlaceLink({ place: { path, label, icon: Icon, key }, isWide }: PlaceProps) {
  return (
    <Link
      to={path}
      className={css.place}
      data-wide={isWide || undefined}
      activeOptions={{ exact: path === '/', includeSearch: false }}
      activeProps={{ 'aria-current': 'page' }}
      title={m.shell.keyOf(label, key)}
    >
      <Icon size={18} aria-hidden="true" />
      {label} {path === '/repair' && <Doubts />}
    </Link>
  );
}

/** The seldom needed pages, folded away until one of them is open. */
function Administration({ places }: { readonly places: readonly Place[] }) {
  const matches = useMatchRoute();
  const isCurrent = places.some(({ path }) => matches({ to: path, fuzzy: true }) !== false);
  if (places.length === 0) return undefined;
  return (
    <details className={css.fold} open={isCurrent}>
      <summary className={css.place} title={m.shell.administration}>
        <ChevronRight size={18} aria-hidden="true" />
        {m.shell.administration}
      </summary>
      {places.map((place) => (
        <PlaceLink key={place.path} place={place} isWide />
      ))}
    </details>
  );
}

/** On narrow screens: the pages that are not at the bottom. */
function More({ onHidden }: Props) {
  const places = usePlaces()
    .filter(({ isOwn }) => !isOwn)
    .slice(shownOnPhones);
  const beyond = usePlacesBeyond().length;
  const navigate = useNavigate();
  const matches = useMatchRoute();
  const isCurrent = places.some(({ path }) => matches({ to: path, fuzzy: true }) !== false);
  return (
    <MenuTrigger>
      <Button className={css.more} data-current={isCurrent || undefined}>
        <Ellipsis size={18} aria-hidden="true" />
        {m.shell.more}
      </Button>
      <Popover className="popover" placement="top end">
        <Menu className="menu">
          {places.map(({ path, label }) => (
            <MenuItem key={path} onAction={() => void navigate({ to: path })}>
              {label}
            </MenuItem>
          ))}
          {beyond > 0 && <MenuItem onAction={onHidden}>{m.shell.hidden(beyond)}</MenuItem>}
          <MenuItem onAction={() => location.assign('/docs')}>{m.shell.reference}</MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
