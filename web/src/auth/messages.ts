import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  auth: {
    title: 'Log in to Millrace',
    version: (version: string) => `version ${version}`,
    username: 'User name',
    password: 'Password',
    logIn: 'Log in',
    signOn: (title: string) => `Log in with ${title}`,
    notSignedOn: 'You are not logged in',
    toLogIn: 'To the log-in page',
    capsLock: 'Caps Lock is on.',
    away: 'The server does not answer. Check that it runs, and try again.',
    over: 'Your session has ended',
    overText: (name: string) => `Log in again as ${name}. This page goes on where it was.`,
    temporary: 'Your password is a temporary one. Choose one of your own; then you go on.',
    choose: 'Choose the password',
    present: 'Present password',
    newPassword: 'New password',
    again: 'The same again',
    rulesTitle: 'What it must be',
    rules: {
      length: 'At least 8 characters: several words are easy to keep.',
      variety: 'More than three different characters.',
      edges: 'No blank at its beginning or end.',
      name: 'Without the user name, forwards or backwards.',
      other: 'Another one than the present.',
      same: 'The same both times.',
    },
    notCommon: 'None of the commonest: the server looks when you send it.',
    met: 'Done',
    notMet: 'Not yet',
    somebodyElse: 'Log in as somebody else',
  },
};

/** The texts of the log-in. */
export const m = { ...common, ...inLanguage({ en }) };
