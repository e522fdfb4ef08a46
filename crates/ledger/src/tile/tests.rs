use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::sample::Tree;
use crate::tree;

fn paths(from: u64, to: u64) -> Vec<String> {
    tiles_written(from, to).map(|tile| tile.path()).collect()
}

#[test]
fn trees_have_the_tiles_that_the_specification_says() {
    let tiles: Vec<Tile> = tiles_written(0, 70_000).collect();
    let count = |level: u8, is_full| {
        tiles.iter().filter(|tile| tile.level == level && tile.id.is_full() == is_full).count()
    };
    assert_eq!([count(0, true), count(0, false)], [273, 1]);
    assert_eq!([count(1, true), count(1, false)], [1, 1]);
    assert_eq!([count(2, true), count(2, false)], [0, 1]);
    let partial: Vec<String> =
        tiles.iter().filter(|tile| !tile.id.is_full()).map(Tile::path).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    assert_eq!(paths(0, 256), ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(paths(0, 0), [""; 0]);
    assert_eq!(paths(0, 1), ["tile/0/000.p/1"]);
    assert_eq!(paths(9, 9), [""; 0]);
    assert_eq!(paths(256, 256), [""; 0]);
    assert_eq!(paths(9, 12), ["tile/0/000.p/12"]);
    assert_eq!(paths(255, 257), ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]);
    assert_eq!(paths(256, 300), ["tile/0/001.p/44"]);
    assert_eq!(paths(512, 513), ["tile/0/002.p/1"]);
    assert_eq!(paths(511, 512), ["tile/0/001", "tile/1/000.p/2"]);
    let bundles = |from, to| -> Vec<String> {
        bundles_written(from, to).map(|bundle| bundle.path()).collect()
    };
    assert_eq!(
        bundles(200, 600),
        ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]
    );
    assert_eq!(bundles(5, 5), [""; 0]);
    assert_eq!([7, 8, 63, 255].map(|level| hashes_at(level, u64::MAX)), [255, 0, 0, 0]);
    assert_eq!([0, 1, 2].map(|level| hashes_at(level, 70_000)), [70_000, 273, 1]);
}

#[test]
fn numbers_are_groups_of_three_digits() {
    let path = |index: u64| TileId::of(index, u64::MAX).expect("it is there").path();
    assert_eq!(path(0), "000");
    assert_eq!(path(999), "999");
    assert_eq!(path(1000), "x001/000");
    assert_eq!(path(1_234_067), "x001/x234/067");
    assert_eq!(path(72_057_594_037_927_934), "x072/x057/x594/x037/x927/934");
    assert_eq!(TileId::of(3, 768), None);
    assert_eq!(TileId::of(3, 767), None);
    assert_eq!(TileId::of(u64::MAX, u64::MAX), None);
    let id = TileId::of(3, 769).expect("it is there");
    assert_eq!((id.index(), id.width(), id.first(), id.is_full()), (3, 1, 768, false));
    let id = TileId::of(3, 5000).expect("it is there");
    assert_eq!((id.index(), id.width(), id.first(), id.is_full()), (3, 256, 768, true));
}

#[test]
fn other_paths_are_refused() {
    let wrong = [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/x001//000",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/01",
        "tile/0/000.p/1.p/1",
        "tile/0/000/1",
        "tile/0/+00",
        "tile/00/000",
        "tile/64/000",
        "tile/300/000",
        "tile/-1/000",
        "tile/x/000",
        "/tile/0/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x072/x057/x594/x037/x927/936",
    ];
    for path in wrong {
        assert_eq!(Tile::parse(path).expect_err(path).kind(), ErrorKind::Malformed);
        let bundle = path.replace("tile/0/", "tile/entries/");
        assert_eq!(Bundle::parse(&bundle).expect_err(path).kind(), ErrorKind::Malformed);
    }
    assert_eq!(Tile::parse("tile/63/x001/000.p/255").expect("a tile").level, 63);
    Tile::parse("tile/entries/000").expect_err("a bundle");
    Bundle::parse("tile/0/000").expect_err("a tile");
}

/// The bytes of a tile of a tree.
fn bytes(tree: &Tree, tile: &Tile) -> Vec<u8> {
    let first = tile.id.first();
    let hashes = first..first + u64::from(tile.id.width());
    hashes.flat_map(|index| tree.node(8 * tile.level, index).expect("in memory").0).collect()
}

#[test]
fn every_node_is_found_in_its_tile() {
    const SIZE: u64 = 66_100;
    let tree = Tree::of(SIZE);
    let nodes = TileNodes::new(SIZE, |tile: &Tile| Ok(bytes(&tree, tile)));
    for level in 0..=16_u8 {
        let count = SIZE >> level;
        for index in (0..count).step_by(1 + (count / 50) as usize).chain([count - 1]) {
            let node = nodes.node(level, index).expect("it is in a tile");
            assert_eq!(node, tree.node(level, index).expect("in memory"), "{level} {index}");
        }
        let error = nodes.node(level, count).expect_err("it is not complete");
        assert_eq!(error.kind(), ErrorKind::NotIncluded);
    }
    for (level, index) in [(17, 0), (64, 0), (255, 0), (0, u64::MAX)] {
        let error = nodes.node(level, index).expect_err("it is not there");
        assert_eq!(error.kind(), ErrorKind::NotIncluded);
    }
    let (tile, first) = Tile::of_node(9, 70, SIZE).expect("it is there");
    assert_eq!((tile.path(), first), ("tile/1/000".to_owned(), 140));
    let root = tree::root(&nodes, SIZE).expect("from tiles");
    assert_eq!(root, tree.frontier.root());
    assert_eq!(format!("{nodes:?}"), "TileNodes { size: 66100, .. }");
    let short = TileNodes::new(SIZE, |_: &Tile| Ok(vec![0; 32]));
    let error = short.node(3, 0).expect_err("the tile is short");
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert!(error.to_string().starts_with("tile/0/000: "));
}

#[test]
fn tiles_are_those_of_another_implementation() {
    for size in [1_u64, 255, 256, 257, 70_000] {
        let mut theirs: Vec<String> = tlog_tiles::tile::Tile::new_tiles(8, 0, size)
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        let mut ours = paths(0, size);
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn bundles_hold_entries() {
    let mut bundle = Vec::new();
    for entry in [b"one".as_slice(), b"", &[7; 65_535]] {
        push_entry(&mut bundle, entry).expect("it fits");
    }
    assert_eq!(bundle[..5], *b"\0\x03one");
    let entries_of = |bundle: &[u8]| entries(bundle).map(|entries| entries.len());
    assert_eq!(entries(&bundle).expect("as written"), [b"one".as_slice(), b"", &[7; 65_535]]);
    assert_eq!(entries_of(&[]).expect("none"), 0);
    let error = push_entry(&mut bundle, &[7; 65_536]).expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::Malformed);
    for end in [1, 2, 4, 6, 8, bundle.len() - 1] {
        assert_eq!(entries_of(&bundle[..end]).ok(), None, "{end}");
    }
    assert_eq!(entries_of(&bundle[..5]).expect("one"), 1);
}

proptest! {
    #[test]
    fn what_is_written_is_read(level in 0..64_u8, index in 0..1_u64 << 56, width in 1..=256_u64) {
        if let Some(id) = TileId::of(index, (index * 256).saturating_add(width)) {
            let tile = Tile { level, id };
            prop_assert_eq!(Tile::parse(&tile.path()).expect("as written"), tile);
            let bundle = Bundle(id);
            prop_assert_eq!(Bundle::parse(&bundle.path()).expect("as written"), bundle);
        }
    }

    #[test]
    fn no_path_is_too_strange(path: String, tail in "[0-9xp./]{0,20}") {
        for path in [path, format!("tile/0/{tail}"), format!("tile/entries/{tail}")] {
            if let Ok(tile) = Tile::parse(&path) {
                prop_assert_eq!(tile.path(), path);
            } else if let Ok(bundle) = Bundle::parse(&path) {
                prop_assert_eq!(bundle.path(), path);
            }
        }
    }

    #[test]
    fn growth_in_steps_writes_what_growth_at_once_does(
        sizes in prop::collection::vec(0..70_000_u64, 1..6),
    ) {
        let mut sizes = sizes;
        sizes.sort_unstable();
        let last = sizes[sizes.len() - 1];
        let mut from = 0;
        let mut written = std::collections::BTreeSet::new();
        for to in sizes {
            for tile in tiles_written(from, to) {
                prop_assert!(written.insert(tile), "{} twice", tile.path());
            }
            from = to;
        }
        for tile in tiles_written(0, last) {
            prop_assert!(written.contains(&tile), "{} is missing", tile.path());
        }
    }
}
