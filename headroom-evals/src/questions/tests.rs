use super::*;

fn selection<'a>(most: usize, sets: &'a [String]) -> Selection<'a> {
    Selection { most, sets, max_tokens: None }
}

#[test]
fn answers_are_scored_by_what_they_say() {
    for (answer, number) in
        [("= $18.00.", "18"), ("1,234 eggs", "1234"), ("-5", "-5"), ("3 or 4", "4"), ("4-5", "4-5")]
    {
        assert_eq!(last_number(answer).as_deref(), Some(number), "{answer}");
    }
    assert_eq!(last_number("none"), None);
    assert_eq!(Score::All(vec!["f(".to_owned(), "b=2".to_owned()]).score("f(a=1, b=2)"), Some(true));
    assert_eq!(Score::Judge(Vec::new()).score("x"), None);
    assert_eq!(Score::Number("18".to_owned()).score(""), Some(false));
}

#[test]
fn sets_come_by_turns_and_every_answer_stands_in_its_text() {
    let all = told(&mut Data::new(None), &selection(5, &[])).unwrap();
    assert_eq!(all.len(), 5);
    for item in all {
        let Score::Number(id) = &item.score else { panic!("{item:?}") };
        let row = item.text.lines().find(|line| line.contains(&item.needed[0])).unwrap();
        assert!(row.contains(id.as_str()), "{row}");
    }
}

#[test]
fn what_an_answer_needs_is_found_in_its_text() {
    assert_eq!(numbers("She has 3 eggs and 16 ducks."), ["has 3", "and 16"]);
    let answer = json!({"text": "36 m", "answer_start": 24});
    assert_eq!(
        sentence("É is old. The tower is 36 m high.", &json!({"text": "36 m", "answer_start": 23})).unwrap(),
        "The tower is 36 m"
    );
    assert_eq!(sentence("short", &answer), None);
    let (mut asked, mut told) = (Vec::new(), Vec::new());
    let item = r#"{"id":"a","question":[[{"role":"user","content":"Area of 10 by 55?"}]],"function":[{"name":"area","parameters":{"base":1,"high":2}}]}"#;
    let truth = r#"{"id":"a","ground_truth":[{"area":{"base":[10],"high":[55],"unit":["m",""]}}]}"#;
    bfcl(item, truth, &mut asked, &mut told);
    assert_eq!(asked[0].tools.len(), 1);
    assert_eq!(told[0].needed, ["area", "base", "10", "high", "55"]);
}

#[test]
fn short_texts_are_asked_by_name_and_hold_their_answers() {
    let sets = ["short-rows".to_owned()];
    let all = told(&mut Data::new(None), &selection(1_000, &sets)).unwrap();
    assert_eq!(all.len(), 400);
    for item in &all {
        let Score::Words(answers) = &item.score else { panic!("{item:?}") };
        let row = item.text.lines().find(|line| line.contains(&item.needed[0])).unwrap();
        assert!(row.contains(&answers[0]), "{row}");
        assert!(Vocabulary::O200kBase.count(&item.text) < 800, "{}", item.text);
    }
    let few = Selection { max_tokens: Some(10), ..selection(1_000, &sets) };
    assert_eq!(told(&mut Data::new(None), &few).unwrap().len(), 0);
}

#[test]
fn three_paragraphs_are_left_of_many_with_the_answer_among_them() {
    let page = |answer: usize| {
        let parts = (1..9).map(|n| format!("## Result {n}\n\nText {n} of it.\n")).collect::<Vec<_>>();
        EvalItem {
            set: "SQuAD v2",
            how: "retrieved paragraphs",
            question: "?".to_owned(),
            text: parts.join("\n"),
            needed: vec![format!("Text {answer} of")],
            score: Score::Words(Vec::new()),
        }
    };
    for (answer, first) in [(1, 1), (4, 3), (8, 6)] {
        let text = short::paragraphs(&[page(answer)]).remove(0).text;
        let expected = (first..first + 3).map(|n| format!("## Result {n}\n\nText {n} of it.\n"));
        assert_eq!(text, expected.collect::<Vec<_>>().join("\n"));
    }
}
