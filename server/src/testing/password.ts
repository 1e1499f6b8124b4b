/** The password of `admin` and of every other user. */
export const password = 'correct horse battery';
