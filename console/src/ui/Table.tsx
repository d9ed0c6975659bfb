import type { ComponentChildren } from "preact";
import { classes } from "./classes";
import { ArrowDownIcon, ArrowUpIcon } from "./icons";
import styles from "./Table.module.css";

export type Column<Row> = {
  key: string;
  header: string;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the end. */
  align?: "start" | "end";
  /** Names the row: the heading of its card on a narrow page. */
  primary?: boolean;
  sortable?: boolean;
  /** Keeps the header for screen readers, for a column of buttons. */
  hideHeader?: boolean;
  /** Takes no more room than it needs. */
  narrow?: boolean;
};

export type Sort = { key: string; direction: "ASC" | "DESC" };

type TableProps<Row> = {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  sort?: Sort | undefined;
  onSort?: (sort: Sort) => void;
  selected?: (row: Row) => boolean;
};

/** Shows rows under headers that may sort; where there is no room for that, each row becomes a card. */
export function Table<Row>({ caption, columns, rows, rowKey, sort, onSort, selected }: TableProps<Row>) {
  return (
    <div class={styles.frame}>
      <table class={styles.table}>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Header key={column.key} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} aria-selected={selected?.(row) || undefined}>
              {columns.map((column) => (
                <Cell key={column.key} column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>({ column, row }: { column: Column<Row>; row: Row }) {
  const look = classes(column.align === "end" && styles.end, column.narrow && styles.narrow);
  if (column.primary) {
    return (
      <th scope="row" class={classes(look, styles.primary)}>
        {column.cell(row)}
      </th>
    );
  }
  return (
    <td class={look}>
      <span class={classes(styles.name, column.hideHeader && "visually-hidden")} aria-hidden="true">
        {column.header}
      </span>
      <div class={styles.value}>{column.cell(row)}</div>
    </td>
  );
}

type HeaderProps<Row> = {
  column: Column<Row>;
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
};

function Header<Row>({ column, sort, onSort }: HeaderProps<Row>) {
  const look = classes(
    column.align === "end" && styles.end,
    column.narrow && styles.narrow,
    column.sortable && styles.sortable,
  );
  if (!column.sortable || !onSort) {
    return (
      <th scope="col" class={look}>
        {column.hideHeader ? <span class="visually-hidden">{column.header}</span> : column.header}
      </th>
    );
  }
  const sorted = sort?.key === column.key ? sort.direction : undefined;
  return (
    <th scope="col" class={look} aria-sort={sorted && (sorted === "ASC" ? "ascending" : "descending")}>
      <button
        type="button"
        class={styles.sort}
        onClick={() => onSort({ key: column.key, direction: sorted === "ASC" ? "DESC" : "ASC" })}
      >
        {column.header}
        <span class={sorted ? undefined : styles.unsorted}>
          {sorted === "DESC" ? <ArrowDownIcon size={12} /> : <ArrowUpIcon size={12} />}
        </span>
      </button>
    </th>
  );
}
