/** The languages of the pages, each by its own name; the server's list, known here too without a connection. */
export const LANGUAGES = { en: "English", es: "Español", fa: "فارسی" };
