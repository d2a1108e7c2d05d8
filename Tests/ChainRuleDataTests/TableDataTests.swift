import ChainRule
import ChainRuleData
import Foundation
import Testing

struct TableDataTests {
    private typealias LabelColumn = ClassificationData.LabelColumn

    private func load(
        _ text: String, _ labelColumn: LabelColumn = .last, separator: Character = ",", testShare: Double = 0.25,
        seed: UInt64 = 0
    ) throws -> ClassificationData {
        try withTemporaryDirectory { directory in
            let path = directory + "/table.csv"
            try write(text, to: path)
            return try ClassificationData(
                csv: path, labelColumn: labelColumn, separator: separator, testShare: testShare, seed: seed)
        }
    }

    /// Every row as its features and the name of its class, in the order of the first feature.
    private func rows(_ data: ClassificationData) -> [String] {
        [data.train, data.test].flatMap { part in
            let width = data.inputShape[0]
            let inputs = part.inputs.toArray(of: Float.self)
            return part.targets.toArray(of: Int.self).enumerated().map { row, target in
                let features = inputs[(row * width)..<((row + 1) * width)].map { "\($0)" }
                return (features + [data.classNames[target]]).joined(separator: " ")
            }
        }.sorted()
    }

    private func error(_ text: String, _ labelColumn: LabelColumn = .last) -> String {
        dataError { _ = try load(text, labelColumn) } ?? "nothing thrown"
    }

    @Test func headerAndWords() throws {
        let data = try load("height,width,kind\n1,2,b\n3,4,a\n5, 6 ,b\n7,8e-1,a\n")
        #expect(data.classNames == ["a", "b"])
        #expect(data.inputShape == [2])
        #expect(data.train.inputs.dtype == .float32 && data.train.targets.dtype == .int64)
        #expect(data.train.count == 3 && data.test.count == 1)
        #expect(rows(data) == ["1.0 2.0 b", "3.0 4.0 a", "5.0 6.0 b", "7.0 0.8 a"])
        #expect(data.name == "table.csv")
    }

    @Test func withoutHeader() throws {
        #expect(try rows(load("1,b\n2,a\n3,b\n4,a")) == ["1.0 b", "2.0 a", "3.0 b", "4.0 a"])
        #expect(try rows(load("1,2\n2,3\n3,2\n4,3")) == ["1.0 2", "2.0 3", "3.0 2", "4.0 3"])
        // The names of the features may be numbers when the class has a word.
        #expect(try rows(load("0,1,label\n1,5,7\n2,6,8\n3,5,7\n4,6,8")).count == 4)
    }

    @Test func labelColumns() throws {
        let text = "kind,x,y\nb,1,2\na,3,4\nb,5,6\na,7,8\n"
        let expected = ["1.0 2.0 b", "3.0 4.0 a", "5.0 6.0 b", "7.0 8.0 a"]
        for column: LabelColumn in [.first, .index(0), .named("kind")] {
            #expect(try rows(load(text, column)) == expected)
        }
        #expect(error(text, .index(3)).contains("no column 3 for the class: its columns are 0 to 2"))
        #expect(error(text, .named("sort")).contains("line 1: no column is named 'sort'"))
    }

    @Test func classNamesAreSorted() throws {
        #expect(try load("1,10\n2,9\n3,10\n4,9\n").classNames == ["9", "10"])
        #expect(try load("1,-1\n2,1\n3,1.0\n4,-1e0\n").classNames == ["-1", "1"])
        #expect(try load("1,ten\n2,9\n3,ten\n4,9\n").classNames == ["9", "ten"])
        #expect(
            try load("1,\"b, c\"\n2,\"a \"\"x\"\"\"\n3,\"b, c\"\n4,\"a \"\"x\"\"\"\n").classNames == [
                "a \"x\"", "b, c",
            ])
    }

    @Test func countedHeaders() throws {
        let data = try load("4,1,lily,rose\n1,0\n2,1\n3,0\n4,1\n")
        #expect(rows(data) == ["1.0 lily", "2.0 rose", "3.0 lily", "4.0 rose"])
        // As many classes as features, plus one: the line is as wide as a row.
        #expect(try load("4,2,lily\n1,1,0\n2,1,0\n3,1,0\n4,1,0\n").classNames == ["lily"])
        // The same line is a row where the classes are words.
        #expect(rows(try load("4,2,lily\n1,1,rose\n2,1,lily\n3,1,rose\n")).contains("4.0 2.0 lily"))
        #expect(error("5,1,lily,rose\n1,0\n2,1\n3,0\n4,1\n").contains("line 1 promises 5 rows, there are 4"))
        #expect(error("4,1,lily,rose\n1,0\n2,1\n3,2\n4,1\n").contains("line 4, column 2: class 2 is out of range"))
    }

    @Test func separators() throws {
        #expect(try rows(load("x;kind\n1;b\n2;a\n3;b\n4;a", separator: ";")) == ["1.0 b", "2.0 a", "3.0 b", "4.0 a"])
        #expect(error("x;kind\n1;b\n2;a").contains("columns separated by commas"))
    }

    @Test func errorsSayWhere() {
        #expect(error("1,2,a\n3,b\n").contains("line 2: this row has 2 columns, the rows before have 3"))
        #expect(error("1,2,a\n3,x,b\n4,5,a\n").contains("line 2, column 2: 'x' is not a number"))
        #expect(error("1,2,a\n\n\n3,,b\n4,5,a\n").contains("line 4, column 2: the number is missing"))
        #expect(error("1,2,a\n3,NA,b\n4,5,a\n").contains("line 2, column 2: the number is missing ('NA')"))
        #expect(error("1,2,a\n3,4,\n4,5,a\n").contains("line 2, column 3: the class is missing"))
        #expect(error("1,2,a\n3,1e99,b\n4,5,a\n").contains("line 2, column 2: 1e99 is too large"))
        for text in ["inf", "0x10", "1,5".replacing(",", with: "_"), "1e", "--1", "1 2"] {
            #expect(error("1,2,a\n3,\(text),b\n4,5,a\n").contains("'\(text)' is not a number"))
        }
        #expect(error("1,2.5\n2,3.5\n3,2.5\n").contains("line 1, column 2: 2.5 is no class"))
    }

    @Test func tablesThatCannotBeLearnt() {
        #expect(error("").contains("is empty"))
        #expect(error("\n\n").contains("is empty"))
        #expect(error("a,b\n").contains("fewer than two rows"))
        #expect(error("x,kind\n1,a\n").contains("fewer than two rows"))
        #expect(error("1\n2\n3\n").contains("at least one number and a class"))
        #expect(error("1,a\n2,a\n3,a\n").contains("two are needed"))
        #expect(error("1,1\n2,2\n3,3\n4,4\n5,5\n6,6\n").contains("column 2 has 6 different values in 6 rows"))
    }

    @Test func splitsFollowTheSeed() throws {
        let text = (0..<100).map { "\($0),\($0 % 2)" }.joined(separator: "\n")
        func testRows(_ seed: UInt64, _ share: Double) throws -> [Float] {
            try load(text, testShare: share, seed: seed).test.inputs.toArray(of: Float.self)
        }
        #expect(try testRows(1, 0.2).count == 20)
        #expect(try testRows(1, 0.2) == testRows(1, 0.2))
        #expect(try testRows(1, 0.2) != testRows(2, 0.2))
        #expect(try rows(load(text, seed: 5)).count == 100)
        #expect(try testRows(1, 0.0001).count == 1)
        #expect(try testRows(1, 0.9999).count == 99)
        #expect(dataError { _ = try testRows(1, 1) }?.contains("between 0 and 1") == true)
    }

    @Test func missingFiles() throws {
        #expect(dataError { _ = try ClassificationData(csv: "/nonexistent.csv") } == "/nonexistent.csv does not exist")
    }

    @Test(.enabled(if: dataDirectory != nil, "CHAINRULE_DATA is not set"))
    func scikitLearnsTables() throws {
        let root = (dataDirectory ?? "") + "/sklearn/data/"
        let iris = try ClassificationData(csv: root + "iris.csv")
        #expect(iris.classNames == ["setosa", "versicolor", "virginica"])
        #expect(iris.train.count == 120 && iris.test.count == 30)
        #expect(iris.inputShape == [4])
        #expect(try ClassificationData(csv: root + "wine_data.csv").classNames == ["class_0", "class_1", "class_2"])
        let cancer = try ClassificationData(csv: root + "breast_cancer.csv")
        #expect(cancer.classNames == ["malignant", "benign"] && cancer.inputShape == [30])
        let digits = try ClassificationData(csv: root + "digits.csv.gz")
        #expect(digits.classNames == (0..<10).map(String.init) && digits.train.count + digits.test.count == 1797)
        #expect(digits.inputShape == [64])
    }

    @Test(.enabled(if: dataDirectory != nil, "CHAINRULE_DATA is not set"))
    func housesWithMissingRooms() {
        let path = (dataDirectory ?? "") + "/california-housing/housing.csv"
        #expect(
            dataError { _ = try ClassificationData(csv: path) }?.contains("line 292, column 5: the number is missing")
                == true)
    }
}
