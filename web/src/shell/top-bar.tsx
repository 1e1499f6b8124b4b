import { useNavigate } from '@tanstack/react-router';
import { Monitor, Moon, Search, Sun, User } from 'lucide-react';
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { logOut, session } from '../connection/client.ts';
import { useStore } from '../store/store.ts';
import { nextTheme, theme } from '../theme/theme.ts';
import { LiveIndicator } from './live-indicator.tsx';
import { m } from './messages.ts';
import css from './shell.module.css';

const themeIcons = { system: Monitor, light: Sun, dark: Moon };

interface Props {
  readonly onFind: () => void;
  readonly onHelp: () => void;
}

export function TopBar({ onFind, onHelp }: Props) {
  return (
    <header className={css.top}>
      <Button className={css.find} onPress={onFind}>
        <Search size={15} aria-hidden="true" />
        <span>{m.shell.find}</span>
        <kbd>Ctrl K</kbd>
      </Button>
      <LiveIndicator />
      <ThemeButton />
      <UserMenu onHelp={onHelp} />
    </header>
  );
}

function ThemeButton() {
  const now = useStore(theme);
  const Icon = themeIcons[now];
  return (
    <Button className="icon" aria-label={m.shell.nextTheme(m.shell.theme[now])} onPress={nextTheme}>
      <Icon size={17} aria-hidden="true" />
    </Button>
  );
}

function UserMenu({ onHelp }: Pick<Props, 'onHelp'>) {
  const now = useStore(session);
  const navigate = useNavigate();
  if (now.state === 'none') return undefined;
  const { username } = now.user;
  return (
    <MenuTrigger>
      <Button className={css.user} aria-label={m.shell.user(username)}>
        <User size={16} aria-hidden="true" />
        <span>{username}</span>
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu">
          <MenuItem onAction={() => void navigate({ to: '/settings' })}>{m.shell.settings}</MenuItem>
          <MenuItem onAction={onHelp}>
            {m.shell.shortcuts} <kbd>?</kbd>
          </MenuItem>
          <MenuItem onAction={() => void logOut()}>{m.common.logOut}</MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
