import Libsql from 'libsql'
import { textIn } from './text-in.js'

/** All text in all tables of an SQLite file; in the file itself, the end of a page may cut a text. */
export function textInDatabase(file: string): string {
  const database = new Libsql(file, { readonly: true })
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all()
    return textIn(
      (tables as { name: string }[]).map(({ name }) => database.prepare(`select * from "${name}"`).all()),
    )
  } finally {
    database.close()
  }
}
