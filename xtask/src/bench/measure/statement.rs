//! The SQL that a request comes down to, written anew here: the service's own would prove nothing.

use farmlokal_catalog::shape::{Index, counting_index};
use farmlokal_catalog::store::Engine;
use farmlokal_catalog::{Direction, Filter, Position, Price, ProductId, SortKey};

const COLUMNS: &str = "p.id, p.name, p.description, p.category, p.price, p.currency, p.unit, \
                       p.producer, p.stock, p.created_at, p.updated_at, p.version";

/// A statement whose first column is a number, and its values.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    engine: Engine,
    conditions: usize,
}

/// A value, stored by each engine in its own way.
#[derive(Clone)]
pub(super) enum Value {
    Number(i64),
    Text(String),
    Price(Price),
}

/// The rows of `filter` behind `after`, through `index`.
pub(super) fn page(
    engine: Engine,
    filter: &Filter,
    (key, direction): (SortKey, Direction),
    (after, rows): (Option<&Position>, i64),
    index: Index,
) -> Statement {
    let select = format!("SELECT {COLUMNS} FROM products p {}", hint(engine, index));
    let mut statement = Statement::new(engine, select);
    statement.filter(filter);
    if let Some(after) = after {
        statement.behind(after, direction);
    }
    let downwards = match direction {
        Direction::Ascending => "",
        Direction::Descending => " DESC",
    };
    if key == SortKey::Id {
        statement.push(&format!(" ORDER BY p.id{downwards} LIMIT ?"), [Value::Number(rows)]);
    } else {
        let order = format!(" ORDER BY {}{downwards}, p.id{downwards} LIMIT ?", column(key));
        statement.push(&order, [Value::Number(rows)]);
    }
    statement
}

/// How many rows `filter` leaves, up to `most`.
pub(super) fn count(engine: Engine, filter: &Filter, most: i64) -> Statement {
    let hint = hint(engine, counting_index(filter));
    let select = format!("SELECT COUNT(*) FROM (SELECT 1 FROM products p {hint}");
    let mut statement = Statement::new(engine, select);
    statement.filter(filter);
    statement.push(" LIMIT ?) counted", [Value::Number(most)]);
    statement
}

/// The rows with these ids.
pub(super) fn by_ids(engine: Engine, ids: &[i64]) -> Statement {
    let places = vec!["?"; ids.len()].join(", ");
    let select = format!("SELECT {COLUMNS} FROM products p WHERE p.id IN ({places})");
    let mut statement = Statement::new(engine, String::new());
    statement.push(&select, ids.iter().copied().map(Value::Number));
    statement
}

/// The row of `id`.
pub(super) fn by_id(engine: Engine, id: ProductId) -> Statement {
    by_ids(engine, &[id.get()])
}

/// Every category with its products.
pub(super) fn categories(engine: Engine) -> Statement {
    let select = "SELECT products, name FROM categories WHERE products > 0 ORDER BY name";
    Statement::new(engine, select.to_owned())
}

impl Statement {
    fn new(engine: Engine, sql: String) -> Self {
        Self { sql, values: Vec::new(), engine, conditions: 0 }
    }

    fn push(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn and(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.conditions += 1;
        self.push(condition, values);
    }

    fn filter(&mut self, filter: &Filter) {
        if let Some(category) = &filter.category {
            self.and("p.category = ?", [Value::Text(category.to_string())]);
        }
        if let Some((min, max)) = filter.price.bounds() {
            self.and("p.price BETWEEN ? AND ?", [Value::Price(min), Value::Price(max)]);
        }
    }

    /// The seek, in the orders that are followed to their end here.
    fn behind(&mut self, after: &Position, direction: Direction) {
        let sign = match direction {
            Direction::Ascending => '>',
            Direction::Descending => '<',
        };
        match after {
            Position::Id(id) => self.and(&format!("p.id {sign} ?"), [Value::Number(id.get())]),
            Position::Price(price, id) => {
                let (price, id) = (Value::Price(*price), Value::Number(id.get()));
                match self.engine {
                    Engine::Sqlite => {
                        self.and(&format!("(p.price, p.id) {sign} (?, ? COLLATE BINARY)"), [price, id]);
                    }
                    Engine::Mysql => {
                        let behind = format!("(p.price {sign} ? OR (p.price = ? AND p.id {sign} ?))");
                        let seek = format!("p.price {sign}= ? AND {behind}");
                        self.and(&seek, [price.clone(), price.clone(), price, id]);
                    }
                }
            }
            Position::Name(..) | Position::CreatedAt(..) | Position::Relevance(..) => {}
        }
    }
}

fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Id => "p.id",
        SortKey::Price => "p.price",
        SortKey::Name => "p.name_key",
        SortKey::CreatedAt => "p.created_at",
    }
}

fn hint(engine: Engine, index: Index) -> String {
    let name = match index {
        Index::Primary if engine == Engine::Sqlite => return "NOT INDEXED".to_owned(),
        Index::Primary => "PRIMARY",
        Index::Price => "by_price",
        Index::Name => "by_name",
        Index::Created => "by_created",
        Index::Category => "by_category",
        Index::CategoryPrice => "by_category_price",
        Index::CategoryName => "by_category_name",
        Index::CategoryCreated => "by_category_created",
    };
    match engine {
        Engine::Sqlite => format!("INDEXED BY {name}"),
        Engine::Mysql => format!("FORCE INDEX ({name})"),
    }
}
